package io.carom.dma.core.debug;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A set of addresses, as runs that neither touch nor overlap, ascending. Not thread-safe. */
final class Ranges {
  /** Receives a run, its end exclusive. */
  @FunctionalInterface
  interface Visitor {
    void run(long start, long end);
  }

  private long[] ends = new long[4]; // start, end, start, end...
  private int used; // longs

  boolean isEmpty() {
    return used == 0;
  }

  void clear() {
    used = 0;
  }

  /** Adds a run. */
  void add(final long start, final long end) {
    replace(start, end, true);
  }

  /** Takes a run away. */
  void remove(final long start, final long end) {
    replace(start, end, false);
  }

  private void replace(final long start, final long end, final boolean in) {
    if (start >= end) {
      return;
    }
    // Room for what is there, the new run, and one that is split.
    final long[] made = new long[used + 4];
    int count = 0;
    long from = start;
    long to = end;
    boolean placed = !in;
    for (int i = 0; i < used; i += 2) {
      final long a = ends[i];
      final long b = ends[i + 1];
      if (in && a <= to && b >= from) { // touches: one run
        from = Math.min(from, a);
        to = Math.max(to, b);
        continue;
      }
      if (!placed && a > to) {
        made[count++] = from;
        made[count++] = to;
        placed = true;
      }
      if (in || b <= start || a >= end) {
        made[count++] = a;
        made[count++] = b;
        continue;
      }
      if (a < start) {
        made[count++] = a;
        made[count++] = start;
      }
      if (b > end) {
        made[count++] = end;
        made[count++] = b;
      }
    }
    if (!placed) {
      made[count++] = from;
      made[count++] = to;
    }
    ends = made;
    used = count;
  }

  /** Whether any address of a run is in the set. */
  boolean intersects(final long start, final long end) {
    for (int i = 0; i < used && start < end; i += 2) {
      if (ends[i] < end && ends[i + 1] > start) {
        return true;
      }
    }
    return false;
  }

  /** Whether all addresses of a run are in the set. */
  boolean covers(final long start, final long end) {
    return firstGap(start, end) == end;
  }

  /** The first address of a run that is not in the set; its end when all are. */
  long firstGap(final long start, final long end) {
    long at = start;
    for (int i = 0; i < used && at < end; i += 2) {
      if (ends[i] > at) {
        break;
      }
      at = Math.max(at, ends[i + 1]);
    }
    return Math.min(at, end);
  }

  /** Shows the runs of {@code [start, end)} that are not in the set. */
  void gaps(final long start, final long end, final Visitor visitor) {
    long at = start;
    for (int i = 0; i < used && at < end; i += 2) {
      if (ends[i] >= end) {
        break;
      }
      if (ends[i] > at) {
        visitor.run(at, ends[i]);
      }
      at = Math.max(at, ends[i + 1]);
    }
    if (at < end) {
      visitor.run(at, end);
    }
  }

  /** Addresses of {@code [start, end)} that are in the set. */
  long count(final long start, final long end) {
    long sum = 0;
    for (int i = 0; i < used; i += 2) {
      sum += Math.max(0, Math.min(end, ends[i + 1]) - Math.max(start, ends[i]));
    }
    return sum;
  }

  /** Whether a set that may not exist has none of a run. */
  static boolean apart(final @Nullable Ranges ranges, final long start, final long end) {
    return ranges == null || !ranges.intersects(start, end);
  }

  @Override
  public String toString() {
    return Arrays.toString(Arrays.copyOf(ends, used));
  }
}
