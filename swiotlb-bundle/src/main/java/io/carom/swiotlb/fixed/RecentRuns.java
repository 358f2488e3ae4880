package io.carom.swiotlb.fixed;

import io.carom.dma.spi.Extent;

/**
 * The addresses of runs that were freed not long ago, for each length the last few. They are hints:
 * whether a run is still free, and still there, is for the area to check, which drops those that
 * are not. Of bounded size.
 */
final class RecentRuns {
  /** How many of one length are remembered; older ones are overwritten. */
  static final int DEPTH = 16;

  private static final int MASK = DEPTH - 1;

  private final long[] runs = new long[Extent.SET_SLOTS * DEPTH];
  private final byte[] newest = new byte[Extent.SET_SLOTS];
  private final byte[] counts = new byte[Extent.SET_SLOTS];

  RecentRuns() {}

  /** Remembers a run of {@code length} slots, {@code 1..128}. */
  void push(final int length, final long run) {
    final int kind = length - 1;
    newest[kind] = (byte) ((newest[kind] + 1) & MASK);
    runs[kind * DEPTH + newest[kind]] = run;
    if (counts[kind] < DEPTH) {
      counts[kind]++;
    }
  }

  /** How many runs of a length are remembered. */
  int count(final int length) {
    return counts[length - 1];
  }

  /** The run of a length that was freed last, for 0, or an older one. */
  long get(final int length, final int age) {
    final int kind = length - 1;
    return runs[kind * DEPTH + ((newest[kind] - age) & MASK)];
  }

  /** Forgets a run. */
  void remove(final int length, final int age) {
    final int kind = length - 1;
    for (int i = age; i > 0; i--) {
      runs[kind * DEPTH + ((newest[kind] - i) & MASK)] =
          runs[kind * DEPTH + ((newest[kind] - i + 1) & MASK)];
    }
    newest[kind] = (byte) ((newest[kind] - 1) & MASK);
    counts[kind]--;
  }
}
