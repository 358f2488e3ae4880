package io.carom.iommu.pool.slots;

import io.carom.iommu.pool.bounce.Padded;
import java.util.Arrays;

/**
 * Numbers of slots, last in, first out: an array and a position, and so never in a circle. Guarded
 * by the stripe's lock; the counts may be read without, a little old.
 *
 * <p>It knows how far down it was emptied since the last {@link #age}: what lies below has not been
 * touched since then. That is the mark "old" of all entries in one number. An entry that was taken
 * and put back lies above it: young again.
 */
final class IntStack extends Padded {
  /** No number. */
  static final int NONE = -1;

  private static final int PAD = 16; // a cache line of ints on each side, against false sharing
  private static final int[] EMPTY = new int[2 * PAD];

  private int[] values = EMPTY;
  private int top = PAD;
  private int low = PAD;

  /** Numbers taken by {@link #pop}. */
  long pops;

  /** Takes the newest, or {@link #NONE}. */
  int pop() {
    final int at = top - 1;
    if (at < PAD) {
      return NONE;
    }
    top = at;
    if (at < low) {
      low = at;
    }
    pops++;
    return values[at];
  }

  /** Puts a number on it. */
  void push(final int value) {
    if (top + PAD == values.length) {
      values = Arrays.copyOf(values, 2 * values.length);
    }
    values[top++] = value;
  }

  /** Takes a number wherever it is; false when it is not here. */
  boolean remove(final int value) {
    for (int i = top - 1; i >= PAD; i--) {
      if (values[i] == value) {
        top--;
        System.arraycopy(values, i + 1, values, i, top - i);
        low = i < low ? low - 1 : low;
        return true;
      }
    }
    return false;
  }

  /** How many have not been touched since the last {@link #age}. */
  int old() {
    return low - PAD;
  }

  /** The number at a position from the bottom, the oldest at 0. */
  int at(final int position) {
    return values[PAD + position];
  }

  /** Drops so many of the oldest. */
  void dropOldest(final int many) {
    System.arraycopy(values, PAD + many, values, PAD, top - PAD - many);
    top -= many;
    low = Math.max(PAD, low - many);
  }

  /** What is here is old from now on, until it is taken. */
  void age() {
    low = top;
  }

  int count() {
    return top - PAD;
  }
}
