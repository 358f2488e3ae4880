package io.carom.iommu.pool.bounce;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Values by ranges of addresses that do not overlap, in order: two sorted arrays. Looking up
 * allocates nothing and takes the logarithm of the number; adding and removing moves what lies
 * behind. Not thread-safe.
 *
 * @param <V> of values
 */
public final class RangeMap<V> {
  private static final int FEW = 8;

  private long[] starts = new long[FEW];
  private long[] ends = new long[FEW]; // exclusive
  private @Nullable Object[] values = new Object[FEW];
  private int count;

  /** Empty. */
  public RangeMap() {}

  /**
   * Adds a range.
   *
   * @return false, and nothing is changed, when it is empty or overlaps one that is there
   */
  public boolean add(final long start, final long bytes, final V value) {
    final int at = above(start);
    if (bytes <= 0
        || (at > 0 && ends[at - 1] > start)
        || (at < count && start + bytes > starts[at])) {
      return false;
    }
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    System.arraycopy(starts, at, starts, at + 1, count - at);
    System.arraycopy(ends, at, ends, at + 1, count - at);
    System.arraycopy(values, at, values, at + 1, count - at);
    starts[at] = start;
    ends[at] = start + bytes;
    values[at] = value;
    count++;
    return true;
  }

  /** The value of the range that an address lies in, or null. */
  @SuppressWarnings("unchecked") // only V is put in
  public @Nullable V get(final long address) {
    final int at = above(address) - 1;
    return at >= 0 && address < ends[at] ? (V) values[at] : null;
  }

  /** Removes the range that starts at an address; false when there is none. */
  public boolean remove(final long start) {
    final int at = above(start) - 1;
    if (at < 0 || starts[at] != start) {
      return false;
    }
    count--;
    System.arraycopy(starts, at + 1, starts, at, count - at);
    System.arraycopy(ends, at + 1, ends, at, count - at);
    System.arraycopy(values, at + 1, values, at, count - at);
    values[count] = null;
    return true;
  }

  /** Position of the first range that starts above an address. */
  private int above(final long address) {
    int low = 0;
    int high = count;
    while (low < high) {
      final int middle = (low + high) >>> 1;
      if (starts[middle] <= address) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Visits the values in order; the map must not be changed meanwhile. */
  @SuppressWarnings("unchecked") // only V is put in
  public void forEach(final Consumer<V> visitor) {
    for (int i = 0; i < count; i++) {
      visitor.accept((V) values[i]);
    }
  }

  /** Number of ranges. */
  public int size() {
    return count;
  }
}
