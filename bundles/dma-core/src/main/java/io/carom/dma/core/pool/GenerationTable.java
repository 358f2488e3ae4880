package io.carom.dma.core.pool;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Numbers for generations, so that records hold no references. A number is used again once its
 * generation is closed and removed. Readers take no lock.
 */
public final class GenerationTable {
  private final BitSet used = new BitSet();
  private volatile @Nullable Generation[] table = new Generation[16];

  /** An empty table. */
  public GenerationTable() {}

  /** The generation of a record; null for a negative number, which stands for none. */
  public @Nullable Generation get(final int slot) {
    return slot < 0 ? null : table[slot];
  }

  /** How many there are. */
  public synchronized int count() {
    return used.cardinality();
  }

  /** Gives a generation its number. */
  public synchronized void add(final Generation generation) {
    final int slot = used.nextClearBit(0);
    @Nullable Generation[] next = table;
    if (slot >= next.length) {
      next = Arrays.copyOf(next, next.length * 2);
    }
    next[slot] = generation;
    used.set(slot);
    generation.slot(slot);
    table = next; // publishes the element as well
  }

  /** Takes the number of a generation without mappings back. */
  public synchronized void remove(final Generation generation) {
    final @Nullable Generation[] next = table;
    next[generation.slot()] = null;
    used.clear(generation.slot());
    table = next;
  }
}
