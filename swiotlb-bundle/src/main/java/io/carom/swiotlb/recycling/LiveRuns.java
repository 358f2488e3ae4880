package io.carom.swiotlb.recycling;

import io.carom.dma.spi.Extent;

/**
 * Which buffer a live run lies in, by the run's address: a hash table with linear probing, at most
 * half full. It grows with the number of buffers, so never in steady state. Guarded by its user.
 */
final class LiveRuns {
  private static final long MIX = 0x9e37_79b9_7f4a_7c15L; // 2^64 divided by the golden ratio
  private static final int LEAST = 16;

  private long[] keys = new long[LEAST]; // slot number plus one; 0: free
  private int[] buffers = new int[LEAST];

  LiveRuns() {}

  /** Makes room for so many entries. */
  void reserve(final int count) {
    if (2 * count <= keys.length) {
      return;
    }
    final long[] oldKeys = keys;
    final int[] oldBuffers = buffers;
    keys = new long[2 * oldKeys.length];
    buffers = new int[2 * oldKeys.length];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != 0) {
        insert(oldKeys[i], oldBuffers[i]);
      }
    }
  }

  void put(final long run, final int buffer) {
    insert((run >> Extent.SLOT_SHIFT) + 1, buffer);
  }

  private void insert(final long key, final int buffer) {
    int at = home(key);
    while (keys[at] != 0) {
      at = at + 1 & keys.length - 1;
    }
    keys[at] = key;
    buffers[at] = buffer;
  }

  /**
   * Removes a run and returns its buffer.
   *
   * @throws IllegalStateException when there is no such run
   */
  int remove(final long run) {
    final long key = (run >> Extent.SLOT_SHIFT) + 1;
    int at = home(key);
    while (keys[at] != key) {
      if (keys[at] == 0) {
        throw new IllegalStateException("no live run at 0x" + Long.toHexString(run));
      }
      at = at + 1 & keys.length - 1;
    }
    final int buffer = buffers[at];
    close(at);
    return buffer;
  }

  /** Moves up what could not have been put where it is without the entry that goes. */
  private void close(final int gap) {
    final int mask = keys.length - 1;
    int hole = gap;
    for (int at = gap + 1 & mask; keys[at] != 0; at = at + 1 & mask) {
      if ((at - home(keys[at]) & mask) >= (at - hole & mask)) {
        keys[hole] = keys[at];
        buffers[hole] = buffers[at];
        hole = at;
      }
    }
    keys[hole] = 0;
  }

  private int home(final long key) {
    return (int) (key * MIX >>> 40) & keys.length - 1;
  }
}
