package io.carom.dma.core.debug;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * All that is tracked, of all devices.
 *
 * <p><b>Protocol.</b> One lock guards the indexes, the pool, every entry in them, and what device
 * watches keep. It is held for a lookup and for checks, never while the core maps, unmaps or syncs,
 * and never while something is logged; drivers, and device threads in their bus sections, wait for
 * it briefly.
 *
 * <p>An entry is put in after the map and before the driver, hence the device, gets the address. It
 * is taken out before the core unmaps: so nobody can be given the same bus address while the old
 * entry is still there, and an access of the device after that finds none. If the core refuses the
 * unmap, it is put back.
 *
 * <p>A mapping without an entry is one that was made before the checks were turned on: whether it
 * is used rightly, the core alone decides, by its own records.
 */
final class EntryTable {
  final ReentrantLock lock = new ReentrantLock();
  final EntryPool pool;
  final PhysicalIndex physical = new PhysicalIndex();
  private volatile boolean dead;

  EntryTable(final int most) {
    pool = new EntryPool(most);
  }

  /** Whether there was no memory for an entry once: then nothing is checked any more. */
  boolean dead() {
    return dead;
  }

  void die() {
    dead = true;
  }

  /** Puts an entry in. Under the lock. */
  void add(final EntryIndex index, final DebugEntry entry) {
    index.add(entry);
    if (!entry.coherent()) {
      physical.add(entry);
    }
  }

  /** Takes an entry out; false when it is not in. Under the lock. */
  boolean remove(final EntryIndex index, final @Nullable DebugEntry entry) {
    if (entry == null || !index.remove(entry)) {
      return false;
    }
    if (!entry.coherent()) {
      physical.remove(entry);
    }
    return true;
  }

  /** Takes all entries of a device out. Under the lock. */
  void purge(final EntryIndex index) {
    for (final DebugEntry entry : index.all()) {
      remove(index, entry);
      pool.give(entry);
    }
  }
}
