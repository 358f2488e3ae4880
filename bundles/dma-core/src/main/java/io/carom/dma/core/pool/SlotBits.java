package io.carom.dma.core.pool;

/**
 * Runs of bits in an array of words: bit {@code i} is bit {@code i & 63} of word {@code i >> 6}.
 */
final class SlotBits {
  private SlotBits() {}

  /** Sets all bits of {@code [from, from+count)}; false, and nothing set, unless all were clear. */
  static boolean take(final long[] words, final int from, final int count) {
    final int word = from >> 6;
    if (word == (from + count - 1) >> 6) {
      final long bits = words[word];
      final long mask = mask(from & 63, count);
      if ((bits & mask) != 0) {
        return false;
      }
      words[word] = bits | mask;
      return true;
    }
    if (!clear(words, from, count)) {
      return false;
    }
    flip(words, from, count);
    return true;
  }

  /** Whether all bits of {@code [from, from+count)} are clear; {@code count} is at least 1. */
  static boolean clear(final long[] words, final int from, final int count) {
    final int last = from + count - 1;
    final int firstWord = from >> 6;
    final int lastWord = last >> 6;
    if (firstWord == lastWord) {
      return (words[firstWord] & mask(from & 63, count)) == 0;
    }
    if ((words[firstWord] & -1L << from) != 0) {
      return false;
    }
    for (int i = firstWord + 1; i < lastWord; i++) {
      if (words[i] != 0) {
        return false;
      }
    }
    return (words[lastWord] & -1L >>> ~last) == 0;
  }

  /** Flips all bits of {@code [from, from+count)}. */
  static void flip(final long[] words, final int from, final int count) {
    final int last = from + count - 1;
    final int firstWord = from >> 6;
    final int lastWord = last >> 6;
    if (firstWord == lastWord) {
      words[firstWord] ^= mask(from & 63, count);
      return;
    }
    words[firstWord] ^= -1L << from;
    for (int i = firstWord + 1; i < lastWord; i++) {
      words[i] ^= -1L;
    }
    words[lastWord] ^= -1L >>> ~last;
  }

  /** The highest set bit at or below {@code from}, or -1. */
  static int previous(final long[] words, final int from) {
    int word = from >> 6;
    long bits = words[word] & -1L >>> ~from;
    while (bits == 0) {
      if (--word < 0) {
        return -1;
      }
      bits = words[word];
    }
    return (word << 6) + 63 - Long.numberOfLeadingZeros(bits);
  }

  private static long mask(final int shift, final int count) {
    return -1L >>> (64 - count) << shift; // 1 <= count <= 64 within one word
  }
}
