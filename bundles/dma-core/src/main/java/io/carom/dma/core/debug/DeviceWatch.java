package io.carom.dma.core.debug;

import io.carom.dma.DmaDirection;
import io.carom.dma.Violation;
import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import io.carom.pci.PortWatch;
import java.util.HashMap;
import java.util.Map;

/**
 * What one device does through its bus port: whether it may, what it writes, and what it is at.
 *
 * <p>The port tells a run when the device asks for it; what the device then does with the bytes
 * nobody sees. So a device counts as having written all that it asked to write.
 */
final class DeviceWatch implements PortWatch {
  private final DeviceDebug device;
  private final EntryTable table;
  private final EntryIndex index;
  private final CoreView core;
  private final Map<BusSession, Ranges> inFlight = new HashMap<>(); // under the table's lock

  DeviceWatch(
      final DeviceDebug device,
      final EntryTable table,
      final EntryIndex index,
      final CoreView core) {
    this.device = device;
    this.table = table;
    this.index = index;
    this.core = core;
  }

  @Override
  public void access(
      final BusSession session, final long address, final long length, final BusAccess access) {
    if (device.off() || table.dead()) {
      return;
    }
    final boolean write = access == BusAccess.WRITE;
    final long end = address + length; // the port refuses runs that wrap
    final Ranges reached = new Ranges();
    final Ranges permitted = new Ranges();
    table.lock.lock();
    try {
      for (final DebugEntry entry : index.overlapping(address, end)) {
        final long from = Math.max(entry.bus, address);
        final long to = Math.min(entry.busEnd(), end);
        reached.add(from, to);
        if (!write || entry.direction != DmaDirection.TO_DEVICE) {
          permitted.add(from, to);
        }
        if (write && entry.direction != DmaDirection.TO_DEVICE && !entry.coherent()) {
          entry.written = OwnershipChecks.added(entry.written, from, to);
          entry.unsynced = OwnershipChecks.added(entry.unsynced, from, to);
        }
      }
      inFlight.computeIfAbsent(session, s -> new Ranges()).add(address, end);
    } finally {
      table.lock.unlock();
    }
    if (!permitted.covers(address, end)) {
      check(address, end, write, reached, permitted);
    }
  }

  /** What is not among the entries may have been mapped before they were kept: the core knows. */
  private void check(
      final long address,
      final long end,
      final boolean write,
      final Ranges reached,
      final Ranges permitted) {
    final Findings findings = new Findings();
    permitted.gaps(
        address,
        end,
        (from, to) -> {
          if (!core.covers(from, to - from)) {
            findings.add(
                Violation.DEVICE_ACCESS_UNMAPPED,
                from,
                Texts.addressAndSize(from, to - from) + " [access " + word(write) + "]",
                null);
          } else if (reached.covers(from, to)) {
            findings.add(
                Violation.DEVICE_WRITES_READ_ONLY,
                from,
                Texts.addressAndSize(from, to - from),
                null);
          }
        });
    device.report(findings);
  }

  private static String word(final boolean write) {
    return write ? "write" : "read";
  }

  @Override
  public void settled(final BusSession session) {
    table.lock.lock();
    try {
      inFlight.remove(session);
    } finally {
      table.lock.unlock();
    }
  }

  /** Whether the device is at a run. Under the table's lock. */
  boolean inFlight(final long start, final long end) {
    for (final Ranges ranges : inFlight.values()) {
      if (ranges.intersects(start, end)) {
        return true;
      }
    }
    return false;
  }

  /** Forgets what the device is at: its port is not watched any more. */
  void forget() {
    table.lock.lock();
    try {
      inFlight.clear();
    } finally {
      table.lock.unlock();
    }
  }
}
