package io.carom.dma.core.debug;

import io.carom.dma.Violation;
import org.jspecify.annotations.Nullable;

/**
 * Whose a buffer is, part by part: the device's from map to unmap, except between a sync to the CPU
 * and one back.
 *
 * <p>A buffer whose bytes the device cannot change (because it reaches a copy, or because it only
 * reads) has a checksum of the parts that are the device's. When the next of it goes to the CPU, or
 * it is unmapped, the bytes must still have it: else the CPU changed them. A CPU that puts back
 * what it changed, or that reads, is not seen; nor is one that syncs to the device right
 * afterwards. Bytes that another mapping may write have no checksum.
 */
final class OwnershipChecks {
  private final EntryTable table;
  private final EntryIndex index;
  private final CoreView core;

  OwnershipChecks(final EntryTable table, final EntryIndex index, final CoreView core) {
    this.table = table;
    this.index = index;
    this.core = core;
  }

  /** Checks a sync, and for the CPU hands over; before the core copies. */
  void beforeSync(final Reference call, final boolean forCpu, final Findings findings) {
    table.lock.lock();
    try {
      final DebugEntry entry = index.containing(call);
      if (entry == null || entry.coherent()) {
        return; // the core knows whether it is one of before, or wrong
      }
      final int before = findings.list().size();
      SyncChecks.check(entry, call, forCpu, findings);
      final long end = call.bus() + call.size();
      if (!forCpu || findings.list().size() != before || end > entry.busEnd()) {
        return;
      }
      if (entry.deviceOwnsAny(call.bus(), end)) {
        verify(entry, findings);
        entry.cpuOwned = added(entry.cpuOwned, call.bus(), end);
        renew(entry);
      }
      if (entry.unsynced != null) {
        entry.unsynced.remove(call.bus(), end);
      }
    } finally {
      table.lock.unlock();
    }
  }

  /** Hands a part back to the device, after the core has copied. */
  void toDevice(final Reference call) {
    table.lock.lock();
    try {
      final DebugEntry entry = index.containing(call);
      if (entry != null && !entry.coherent()) {
        if (entry.cpuOwned != null) {
          entry.cpuOwned.remove(call.bus(), call.bus() + call.size());
        }
        renew(entry);
      }
    } finally {
      table.lock.unlock();
    }
  }

  private void renew(final DebugEntry entry) {
    if (entry.hasChecksum && !entry.overlapped) {
      entry.checksum = core.checksum(entry);
    }
  }

  /** Finds out whether the CPU changed what is the device's. */
  void verify(final DebugEntry entry, final Findings findings) {
    if (entry.hasChecksum && !entry.overlapped && entry.checksum != core.checksum(entry)) {
      findings.add(
          Violation.CPU_TOUCH, entry.bus, line(entry.physical, entry.bus, entry.size), entry);
    }
  }

  /** The driver says that it touches memory. */
  void cpuAccess(
      final long address, final long size, final boolean write, final Findings findings) {
    table.lock.lock();
    try {
      for (final DebugEntry entry : table.physical.overlapping(address, address + size)) {
        if (entry.type == EntryType.RESOURCE || !index.has(entry)) {
          continue;
        }
        final long delta = entry.bus - entry.physical;
        final long start = Math.max(entry.physical, address) + delta;
        final long end = Math.min(entry.physicalEnd(), address + size) + delta;
        if (write && entry.deviceOwnsAny(start, end)) {
          findings.add(
              Violation.CPU_TOUCH, start, line(start - delta, entry.bus, entry.size), entry);
        } else if (!write && entry.direction.fromDevice() && stale(entry, start, end)) {
          findings.add(
              Violation.MISSING_SYNC,
              start,
              Texts.addressAndSize(start, end - start) + " [map size=" + entry.size + " bytes]",
              entry);
        }
      }
    } finally {
      table.lock.unlock();
    }
  }

  /** Whether the device may have written what the CPU has not been given since. */
  private static boolean stale(final DebugEntry entry, final long start, final long end) {
    return entry.watched
        ? !Ranges.apart(entry.unsynced, start, end)
        : entry.deviceOwnsAny(start, end);
  }

  private static String line(final long physical, final long bus, final long size) {
    return " [cln=0x"
        + Texts.hex(physical >>> Texts.LINE_SHIFT)
        + "]"
        + Texts.addressAndSize(bus, size);
  }

  static Ranges added(final @Nullable Ranges ranges, final long start, final long end) {
    final Ranges result = ranges == null ? new Ranges() : ranges;
    result.add(start, end);
    return result;
  }
}
