package io.carom.iommu.pool.bounce;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Idle single-use buffers of one size and permission, last in, first out. Those below {@link #old}
 * have not been touched since the last {@link #age}. Guarded by the stripe's lock.
 */
final class Shelf {
  /** Size and permission, as one number. */
  final long key;

  private @Nullable SingleUse[] buffers = new SingleUse[4];
  private int count;
  private int old;

  Shelf(final long key) {
    this.key = key;
  }

  /** Puts a buffer on it, young. */
  void push(final SingleUse buffer) {
    if (count == buffers.length) {
      buffers = Arrays.copyOf(buffers, 2 * count);
    }
    buffers[count++] = buffer;
  }

  /** Takes the newest that ends at or below an address, or null. */
  @Nullable SingleUse take(final long limit) {
    for (int i = count - 1; i >= 0; i--) {
      final SingleUse buffer = buffers[i];
      if (buffer != null && buffer.iova + buffer.bytes - 1 <= limit) {
        remove(i);
        return buffer;
      }
    }
    return null;
  }

  /** Takes a certain buffer; false when it is not here. */
  boolean remove(final SingleUse buffer) {
    for (int i = 0; i < count; i++) {
      if (buffers[i] == buffer) {
        remove(i);
        return true;
      }
    }
    return false;
  }

  private void remove(final int at) {
    count--;
    System.arraycopy(buffers, at + 1, buffers, at, count - at);
    buffers[count] = null;
    old = at < old ? old - 1 : old;
  }

  /** Takes one that is old, or null. */
  @Nullable SingleUse takeOld() {
    if (old == 0) {
      return null;
    }
    final SingleUse buffer = buffers[0];
    remove(0);
    return buffer;
  }

  /** What is here is old from now on, until it is used. */
  void age() {
    old = count;
  }

  int count() {
    return count;
  }
}
