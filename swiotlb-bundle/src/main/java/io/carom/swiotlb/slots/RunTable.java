package io.carom.swiotlb.slots;

import io.carom.dma.spi.Extent;

/**
 * A number for each of some runs, by the run's address: a hash table with linear probing, at most
 * half full. It grows with the runs that room is made for, so never in steady state. Guarded by its
 * user.
 */
public final class RunTable {
  /** There is no such run. */
  public static final int NONE = -1;

  private static final long MIX = 0x9e37_79b9_7f4a_7c15L; // 2^64 divided by the golden ratio
  private static final int LEAST = 16;

  private long[] keys = new long[LEAST]; // slot number plus one; 0: free
  private int[] numbers = new int[LEAST];

  /** An empty table. */
  public RunTable() {}

  /** Makes room for so many entries. */
  public void reserve(final int count) {
    if (2 * count <= keys.length) {
      return;
    }
    final long[] oldKeys = keys;
    final int[] oldNumbers = numbers;
    keys = new long[2 * oldKeys.length];
    numbers = new int[2 * oldKeys.length];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != 0) {
        insert(oldKeys[i], oldNumbers[i]);
      }
    }
  }

  /** Adds a run that is not there, with a number that is not negative; there is room. */
  public void put(final long run, final int number) {
    insert((run >> Extent.SLOT_SHIFT) + 1, number);
  }

  private void insert(final long key, final int number) {
    int at = home(key);
    while (keys[at] != 0) {
      at = (at + 1) & (keys.length - 1);
    }
    keys[at] = key;
    numbers[at] = number;
  }

  /** Removes a run and returns its number, or {@link #NONE}. */
  public int remove(final long run) {
    final long key = (run >> Extent.SLOT_SHIFT) + 1;
    int at = home(key);
    while (keys[at] != key) {
      if (keys[at] == 0) {
        return NONE;
      }
      at = (at + 1) & (keys.length - 1);
    }
    final int number = numbers[at];
    close(at);
    return number;
  }

  /** Moves up what could not have been put where it is without the entry that goes. */
  private void close(final int gap) {
    final int mask = keys.length - 1;
    int hole = gap;
    for (int at = (gap + 1) & mask; keys[at] != 0; at = (at + 1) & mask) {
      if (((at - home(keys[at])) & mask) >= ((at - hole) & mask)) {
        keys[hole] = keys[at];
        numbers[hole] = numbers[at];
        hole = at;
      }
    }
    keys[hole] = 0;
  }

  private int home(final long key) {
    return (int) ((key * MIX) >>> 40) & (keys.length - 1);
  }
}
