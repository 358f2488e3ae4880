package io.carom.swiotlb.slots;

/**
 * Finds runs of free slots in one slot set: 128 bits, in two words, bit set means free. A run never
 * crosses the set's border, so nothing outside the two words matters.
 *
 * <p>The words are narrowed in place of a loop over slots: after {@code x &= x >>> 1} a bit means
 * two free slots from here on, after another {@code x &= x >>> 2} four, and so on.
 */
public final class SlotSearch extends Padded {
  private long low;
  private long high;

  /** Nothing worked out yet. */
  public SlotSearch() {}

  /** Leaves the bits at which {@code count} free slots begin, {@code 1 <= count <= 128}. */
  public void starts(final long freeLow, final long freeHigh, final int count) {
    long lo = freeLow;
    long hi = freeHigh;
    int have = 1;
    while (have < count) {
      final int shift = Math.min(have, count - have);
      if (shift == 64) {
        lo &= hi;
        hi = 0;
      } else {
        // shift is 1..63 here: the two halves of a 128-bit shift to the right
        lo &= lo >>> shift | hi << (64 - shift);
        hi &= hi >>> shift;
      }
      have += shift;
    }
    low = lo;
    high = hi;
  }

  /**
   * The bits at which {@code count} free slots begin that all lie in one word, {@code 1 <= count <=
   * 64}. Of the starts in a set's first word these come first.
   */
  public static long startsWithin(final long free, final int count) {
    long bits = free;
    int have = 1;
    while (have < count) {
      final int shift = Math.min(have, count - have); // 1..32
      bits &= bits >>> shift;
      have += shift;
    }
    return bits;
  }

  /** Drops the starts whose bit is clear in a pattern that is the same for both words. */
  public void keep(final long pattern) {
    low &= pattern;
    high &= pattern;
  }

  /** The first start at or behind a slot, or -1. */
  public int next(final int from) {
    if (from < 64) {
      final long bits = low & -1L << from;
      if (bits != 0) {
        return Long.numberOfTrailingZeros(bits);
      }
      return high == 0 ? -1 : 64 + Long.numberOfTrailingZeros(high);
    }
    if (from >= 128) {
      return -1;
    }
    final long bits = high & -1L << from;
    return bits == 0 ? -1 : 64 + Long.numberOfTrailingZeros(bits);
  }
}
