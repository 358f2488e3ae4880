package io.carom.dma.core.debug;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entries: a number made in advance when dma-debug is first turned on, more when they run out,
 * never fewer. Under the table's lock.
 */
final class EntryPool {
  /** Entries made in advance, the kernel's number. */
  static final int PREALLOCATED = 65_536;

  /** Entries made at a time when there are none left: about a page of them. */
  static final int STEP = 32;

  /** Most entries: about 200 MB. */
  static final int MOST = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(Reporter.LOG_NAME);

  private final int most;
  private int preallocated = PREALLOCATED;
  private @Nullable DebugEntry first;
  private int free;
  private int leastFree;
  private int total;

  EntryPool(final int most) {
    this.most = most;
  }

  /** How many to make in advance; without effect once they are made. */
  void preallocate(final int count) {
    if (total == 0) {
      preallocated = count;
    }
  }

  /** Makes the first ones, once. */
  void prepare() {
    if (total == 0) {
      make(Math.min(preallocated, most));
      leastFree = free;
    }
  }

  /** An entry, or null when there is no memory for more. */
  @Nullable DebugEntry take() {
    if (first == null && !grow()) {
      return null;
    }
    final DebugEntry taken = first;
    if (taken != null) {
      first = taken.next;
      taken.next = null;
      free--;
      leastFree = Math.min(leastFree, free);
    }
    return taken;
  }

  /** Gives an entry back. */
  void give(final DebugEntry entry) {
    entry.reset();
    entry.next = first;
    first = entry;
    free++;
  }

  private boolean grow() {
    if (total + STEP > most) {
      return false;
    }
    try {
      make(STEP);
    } catch (final OutOfMemoryError e) {
      return false;
    }
    if (total % preallocated < STEP) { // each time it passes a multiple of what it was
      LOG.warn("DMA-API: dma_debug_entry pool grown to {} ({}00%)", total, total / preallocated);
    }
    return true;
  }

  private void make(final int count) {
    for (int i = 0; i < count; i++) {
      final DebugEntry entry = new DebugEntry();
      entry.next = first;
      first = entry;
      free++;
      total++;
    }
  }

  int free() {
    return free;
  }

  int leastFree() {
    return leastFree;
  }

  int total() {
    return total;
  }
}
