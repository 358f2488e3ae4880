package io.carom.dma.core.domain;

import java.util.Arrays;

/** Runs of bus addresses that mappings use where they are; collected, then asked. */
public final class LiveRanges {
  private static final int INITIAL = 64;

  private long[] starts = new long[INITIAL];
  private long[] ends = new long[INITIAL];
  private int count;

  /** No runs. */
  public LiveRanges() {}

  /** Adds a run, widened to whole granules. */
  public void add(final long start, final long bytes, final long granule) {
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    starts[count] = start & -granule;
    ends[count] = (start + bytes + granule - 1) & -granule; // below 2^48
    count++;
  }

  /** Sorts the runs and joins those that touch; to be called before they are looked at. */
  public void sort() {
    final long[][] order = new long[count][];
    for (int i = 0; i < count; i++) {
      order[i] = new long[] {starts[i], ends[i]};
    }
    Arrays.sort(order, (a, b) -> Long.compare(a[0], b[0]));
    int joined = 0;
    for (final long[] run : order) {
      if (joined > 0 && run[0] <= ends[joined - 1]) {
        ends[joined - 1] = Math.max(ends[joined - 1], run[1]);
      } else {
        starts[joined] = run[0];
        ends[joined] = run[1];
        joined++;
      }
    }
    count = joined;
  }

  /** Number of runs. */
  public int count() {
    return count;
  }

  /** Start of a run. */
  public long start(final int run) {
    return starts[run];
  }

  /** End of a run, exclusive. */
  public long end(final int run) {
    return ends[run];
  }

  /** Whether a run meets {@code [start, end)}. */
  public boolean meets(final long start, final long end) {
    int low = 0;
    int high = count;
    while (low < high) { // the first run that ends behind start
      final int middle = (low + high) >>> 1;
      if (ends[middle] <= start) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && starts[low] < end;
  }
}
