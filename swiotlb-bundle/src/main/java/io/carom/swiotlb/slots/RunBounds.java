package io.carom.swiotlb.slots;

import java.util.Arrays;

/**
 * For each slot set in a row a number from 0 to 128, no smaller than the longest run of free slots
 * in it, and a summary over them: whether any set can have a run of a length at all is seen in one
 * word, and the next one that can is found in as many steps as the logarithm of their number has.
 *
 * <p>Eight numbers lie in a word, a byte each. The largest of a word is a byte of a word of the
 * next level, up to a level of one word. A number is compared in all eight bytes at once: {@code
 * byte + (128 - length)} has its top bit set exactly if the byte is at least the length, and
 * carries nothing into its neighbour, as both terms are at most 128 and a length is at least 1.
 */
public final class RunBounds {
  private static final long EACH = 0x0101_0101_0101_0101L;
  private static final long TOP = 0x8080_8080_8080_8080L;
  private static final int MOST = 128;

  private long[][] levels = {new long[1]};
  private long[] leaves = levels[0];
  private int count;

  /** Of no sets. */
  public RunBounds() {}

  /** Number of sets. */
  public int count() {
    return count;
  }

  /** The number of a set. */
  public int get(final int index) {
    return (int) (leaves[index >> 3] >>> ((index & 7) << 3)) & 0xff;
  }

  /** Changes the number of a set, to at most 128. */
  public void set(final int index, final int value) {
    int at = index;
    long now = value;
    for (final long[] level : levels) {
      final int shift = (at & 7) << 3;
      final int word = at >> 3;
      final long old = level[word];
      if ((old >>> shift & 0xff) == now) {
        return;
      }
      level[word] = (old & ~(0xffL << shift)) | (now << shift);
      now = largest(level[word]);
      at = word;
    }
  }

  private static int largest(final long word) {
    int best = 0;
    for (long rest = word; rest != 0; rest >>>= 8) {
      best = Math.max(best, (int) rest & 0xff);
    }
    return best;
  }

  /**
   * Whether any set may have a run of a length, from 1 to 128. May be asked without the lock that
   * guards the rest, and is then a little old.
   */
  public boolean any(final int length) {
    final long[][] now = levels;
    return atLeast(now[now.length - 1][0], length) != 0;
  }

  /** The first set at or behind an index that may have a run of a length, or -1. */
  public int next(final int from, final int length) {
    int level = 0;
    int at = from;
    while (true) {
      final int word = at >> 3;
      if (level == levels.length || word >= levels[level].length) {
        return -1;
      }
      final long hits = atLeast(levels[level][word], length) & -1L << ((at & 7) << 3);
      if (hits != 0) {
        at = first(word, hits);
        break;
      }
      at = word + 1;
      level++;
    }
    while (level > 0) {
      level--;
      at = first(at, atLeast(levels[level][at], length));
    }
    return at;
  }

  private static int first(final int word, final long hits) {
    return (word << 3) + (Long.numberOfTrailingZeros(hits) >> 3);
  }

  private static long atLeast(final long word, final int length) {
    return (word + (MOST - length) * EACH) & TOP;
  }

  /** Adds a set at an index; those from there on move up. */
  public void insert(final int index, final int value) {
    if (count == leaves.length * 8) {
      grow();
    }
    for (int i = count; i > index; i--) {
      set(i, get(i - 1));
    }
    set(index, value);
    count++;
  }

  /** Removes a set; those behind it move down. */
  public void remove(final int index) {
    count--;
    for (int i = index; i < count; i++) {
      set(i, get(i + 1));
    }
    set(count, 0);
  }

  private void grow() {
    final long[] old = leaves;
    int words = old.length * 2;
    int depth = 1;
    for (int i = words; i > 1; i = (i + 7) / 8) {
      depth++;
    }
    final long[][] made = new long[depth][];
    made[0] = Arrays.copyOf(old, words);
    for (int level = 1; level < depth; level++) {
      made[level] = new long[(words + 7) / 8];
      for (int i = 0; i < words; i++) {
        made[level][i >> 3] |= (long) largest(made[level - 1][i]) << ((i & 7) << 3);
      }
      words = made[level].length;
    }
    levels = made;
    leaves = made[0];
  }
}
