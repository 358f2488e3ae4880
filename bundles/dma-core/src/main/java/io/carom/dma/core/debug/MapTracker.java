package io.carom.dma.core.debug;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.dma.Violation;
import io.carom.memory.PhysicalLayout;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tracks what one device maps, and checks it. */
final class MapTracker {
  private static final Logger LOG = LoggerFactory.getLogger(Reporter.LOG_NAME);
  private static final int MOST_OVERLAPS = 7; // what the kernel's tags can count
  private static final long PAGE_MASK = PhysicalLayout.PAGE_SIZE - 1;

  private final DeviceDebug device;
  private final EntryTable table;
  private final EntryIndex index;
  private final CoreView core;
  private final LongPredicate vmalloc;

  /**
   * For a device.
   *
   * @param vmalloc whether an address is in memory that the kernel has mapped apart from RAM
   */
  MapTracker(
      final DeviceDebug device,
      final EntryTable table,
      final EntryIndex index,
      final CoreView core,
      final LongPredicate vmalloc) {
    this.device = device;
    this.table = table;
    this.index = index;
    this.core = core;
    this.vmalloc = vmalloc;
  }

  /** A buffer was mapped. */
  void mapped(
      final EntryType type,
      final long address,
      final long size,
      final long bus,
      final DmaDirection direction,
      final int attributes,
      final int sgEntries,
      final Findings findings) {
    final boolean bounced = core.bounced(address, bus);
    checkArea(address, size, bounced, findings);
    if (core.beyondMask(bus + size - 1)) {
      findings.add(Violation.BEYOND_MASK, bus, mask(bus, size), null);
    }
    final DebugEntry entry = entry();
    if (entry == null) {
      return;
    }
    entry.type = type;
    entry.direction = direction;
    entry.mapError = type == EntryType.SG ? MapError.NOT_APPLICABLE : MapError.NOT_CHECKED;
    entry.bus = bus;
    entry.size = size;
    entry.physical = address;
    entry.sgEntries = sgEntries;
    entry.bounced = bounced;
    entry.mappedAt = Texts.callers();
    if (core.ram(address, size) && (bounced || direction == DmaDirection.TO_DEVICE)) {
      entry.checksum = core.checksum(entry);
      entry.hasChecksum = true;
    }
    final boolean skip = (attributes & DmaAttributes.SKIP_CPU_SYNC) != 0;
    table.lock.lock();
    try {
      if (track(entry) && type != EntryType.RESOURCE) {
        overlaps(entry, skip, findings);
      }
    } finally {
      table.lock.unlock();
    }
  }

  /** Coherent memory was allocated. */
  void allocated(final long bus, final long size, final long physical, final long cpu) {
    final DebugEntry entry = entry();
    if (entry == null) {
      return;
    }
    entry.type = EntryType.COHERENT;
    entry.direction = DmaDirection.BIDIRECTIONAL;
    entry.mapError = MapError.NOT_APPLICABLE;
    entry.bus = bus;
    entry.size = size;
    entry.physical = physical;
    entry.cpu = cpu;
    entry.mappedAt = Texts.callers();
    table.lock.lock();
    try {
      track(entry);
    } finally {
      table.lock.unlock();
    }
  }

  /** A map was refused because its arguments are wrong. */
  void refused(final long address, final long size, final Findings findings) {
    if (vmalloc.test(address)) {
      findings.add(Violation.MAP_VMALLOC, address, Texts.area(address, size), null);
    } else {
      findings.add(Violation.MAP_INVALID_AREA, address, Texts.area(address, size), null);
    }
  }

  /** A map failed. */
  void failed(final long address, final long size, final Findings findings) {
    if (core.beyondMask(address, size)) {
      findings.add(
          Violation.BEYOND_MASK, core.busOf(address), mask(core.busOf(address), size), null);
    }
  }

  private String mask(final long bus, final long size) {
    return Texts.addressAndSize(bus, size)
        + " [mask=0x"
        + Long.toHexString(device.dma().spec().dmaMask())
        + "]";
  }

  private void checkArea(
      final long address, final long size, final boolean bounced, final Findings findings) {
    if (address < PhysicalLayout.PAGE_SIZE) {
      findings.add(Violation.MAP_INVALID_AREA, address, Texts.area(address, size), null);
    } else if (bounced && core.holdsBuffer(address)) {
      findings.add(Violation.MAP_KERNEL_TEXT, address, Texts.area(address, size), null);
    } else if (core.ram(address, size) && vmalloc.test(address)) {
      findings.add(Violation.MAP_VMALLOC, address, Texts.area(address, size), null);
    } else if (!bounced
        && core.ram(address, size)
        && !core.bounceMemory(address)
        && ((address | (address + size)) & PAGE_MASK) != 0) {
      findings.add(Violation.NEIGHBOURS_EXPOSED, address, Texts.area(address, size), null);
    }
  }

  /** Checks the entries of a mapped list against what the device takes. */
  void checkSegments(final ScatterList list, final Findings findings) {
    final long most = device.dma().maxSegmentSize();
    final long boundary = device.dma().spec().boundaryMask();
    for (int i = 0; i < list.entries(); i++) {
      final long length = list.length(i);
      if (length > most) {
        findings.add(
            Violation.SG_SEGMENT_TOO_LONG,
            list.busAddress(i),
            " [len=" + length + "] [max=" + most + "]",
            null);
      }
      final long start = list.busAddress(i);
      final long end = start + length - 1;
      if (((start ^ end) & ~boundary) != 0) {
        findings.add(
            Violation.SG_SEGMENT_BOUNDARY,
            start,
            " [start=0x"
                + Texts.hex(start)
                + "] [end=0x"
                + Texts.hex(end)
                + "] [boundary=0x"
                + Texts.hex(boundary)
                + "]",
            null);
      }
    }
  }

  /** Compares a new mapping with those of the same memory. Under the table's lock. */
  private void overlaps(final DebugEntry entry, final boolean skip, final Findings findings) {
    final long lineMask = -(1L << Texts.LINE_SHIFT);
    final long start = entry.physical & lineMask;
    final long end = (entry.physicalEnd() + ~lineMask) & lineMask;
    int lines = 0;
    for (final DebugEntry other : table.physical.overlapping(start, end)) {
      if (other == entry || other.type == EntryType.RESOURCE) {
        continue;
      }
      final boolean both = entry.direction.fromDevice() && other.direction.fromDevice();
      final boolean either = entry.direction.fromDevice() || other.direction.fromDevice();
      lines += both ? 1 : 0;
      if (either && other.physical < entry.physicalEnd() && other.physicalEnd() > entry.physical) {
        other.overlapped = true;
        entry.overlapped = true;
      }
    }
    if (lines > 0 && !skip) {
      findings.add(Violation.OVERLAP, entry.bus, "", entry);
    }
    if (lines > MOST_OVERLAPS) {
      findings.add(
          Violation.OVERLAP_EXCEEDED,
          entry.bus,
          " 0x" + Texts.hex(entry.physical >>> Texts.LINE_SHIFT),
          entry);
    }
  }

  /** A free entry; null when dma-debug is off or there is no memory for it. */
  private @Nullable DebugEntry entry() {
    table.lock.lock();
    try {
      if (table.dead() || device.off()) {
        return null;
      }
      final DebugEntry taken = table.pool.take();
      if (taken != null) {
        return taken;
      }
      table.die();
    } finally {
      table.lock.unlock();
    }
    LOG.error("DMA-API: debugging out of memory - disabling");
    return null;
  }

  /** Puts an entry in; false when dma-debug was turned off meanwhile. Under the lock. */
  private boolean track(final DebugEntry entry) {
    if (device.off()) {
      table.pool.give(entry);
      return false;
    }
    entry.device = device;
    entry.watched = device.watched();
    table.add(index, entry);
    return true;
  }
}
