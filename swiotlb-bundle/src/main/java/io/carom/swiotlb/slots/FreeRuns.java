package io.carom.swiotlb.slots;

/** Runs of free slots in one slot set of two words, bit set means free, without a search. */
public final class FreeRuns {
  private static final int SLOTS = 128;

  private FreeRuns() {}

  /**
   * First slot of the run of free slots that ends right before a slot; the slot if there is none.
   */
  public static int start(final long low, final long high, final int slot) {
    if (slot > 64) {
      final long busy = ~high & -1L >>> (SLOTS - slot);
      if (busy != 0) {
        return SLOTS - Long.numberOfLeadingZeros(busy);
      }
      return 64 - Long.numberOfLeadingZeros(~low);
    }
    // Without a busy slot the number of leading zeros is 64, and the run begins at slot 0.
    return slot == 0 ? 0 : 64 - Long.numberOfLeadingZeros(~low & -1L >>> (64 - slot));
  }

  /** First slot at or behind a slot that is not free, or 128. */
  public static int end(final long low, final long high, final int slot) {
    if (slot < 64) {
      final long busy = ~low & -1L << slot;
      return busy != 0
          ? Long.numberOfTrailingZeros(busy)
          : 64 + Long.numberOfTrailingZeros(~high); // 64 if there is none
    }
    return slot >= SLOTS ? SLOTS : 64 + Long.numberOfTrailingZeros(~high & -1L << slot);
  }

  /** First free slot at or behind a slot, or 128. */
  public static int next(final long low, final long high, final int slot) {
    return end(~low, ~high, slot);
  }

  /** Longest run of free slots. */
  public static int longest(final long low, final long high) {
    int best = 0;
    int at = next(low, high, 0);
    while (at < SLOTS) {
      final int end = end(low, high, at);
      best = Math.max(best, end - at);
      at = next(low, high, end);
    }
    return best;
  }

  /**
   * Longest runs of free slots that begin at an even slot and at an odd one.
   *
   * @return {@code even << 8 | odd}
   */
  public static int longestByParity(final long low, final long high) {
    int even = 0;
    int odd = 0;
    int at = next(low, high, 0);
    while (at < SLOTS) {
      final int end = end(low, high, at);
      final int run = end - at;
      if ((at & 1) == 0) {
        even = Math.max(even, run);
        odd = Math.max(odd, run - 1);
      } else {
        odd = Math.max(odd, run);
        even = Math.max(even, run - 1);
      }
      at = next(low, high, end);
    }
    return even << 8 | odd;
  }
}
