package io.carom.dma.core.map;

import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.StripeLock;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The list of the "Allow dynamic allocation of software IO TLB bounce buffers" series: every bounce
 * of a device, the one that was looked up last in front. Linear in what is live, and short where
 * the same buffer is looked up again and again. A doubly linked list in arrays; entry 0 is the
 * head.
 */
final class MruList extends StripeLock implements RecordLookup {
  private static final int INITIAL = 64;

  private long[] starts = new long[INITIAL];
  private long[] ends = new long[INITIAL];
  private @Nullable ExtentState[] extents = new ExtentState[INITIAL];
  private int[] next = new int[INITIAL];
  private int[] previous = new int[INITIAL];
  private int used = 1;
  private int free; // chain of entries given back, by next; 0: none

  MruList() {}

  @Override
  public void add(final long start, final long size, final ExtentState extent) {
    lock(Thread.currentThread().threadId());
    try {
      final int entry = entry();
      starts[entry] = start;
      ends[entry] = start + size; // both below 2^48
      if (extents[entry] != extent) {
        extents[entry] = extent;
      }
      link(entry);
    } finally {
      unlock();
    }
  }

  private int entry() {
    if (free != 0) {
      final int entry = free;
      free = next[entry];
      return entry;
    }
    if (used == starts.length) {
      final int size = used * 2;
      starts = Arrays.copyOf(starts, size);
      ends = Arrays.copyOf(ends, size);
      extents = Arrays.copyOf(extents, size);
      next = Arrays.copyOf(next, size);
      previous = Arrays.copyOf(previous, size);
    }
    return used++;
  }

  private void link(final int entry) {
    final int first = next[0];
    next[entry] = first;
    previous[entry] = 0;
    previous[first] = entry;
    next[0] = entry;
  }

  private void unlink(final int entry) {
    next[previous[entry]] = next[entry];
    previous[next[entry]] = previous[entry];
  }

  @Override
  public @Nullable ExtentState find(final long address) {
    lock(Thread.currentThread().threadId());
    try {
      for (int entry = next[0]; entry != 0; entry = next[entry]) {
        if (address >= starts[entry] && address < ends[entry]) {
          if (next[0] != entry) {
            unlink(entry);
            link(entry);
          }
          return extents[entry];
        }
      }
      return null;
    } finally {
      unlock();
    }
  }

  @Override
  public void remove(final long start) {
    lock(Thread.currentThread().threadId());
    try {
      for (int entry = next[0]; entry != 0; entry = next[entry]) {
        if (starts[entry] == start) {
          unlink(entry);
          next[entry] = free;
          free = entry;
          return;
        }
      }
    } finally {
      unlock();
    }
  }
}
