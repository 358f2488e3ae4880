package io.carom.dma.core.debug;

import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** The core's own records, as one device's checks ask them. */
final class CoreView {
  private static final int DIRECTIONS = 3;
  private static final long CHUNK = 1 << 30; // what fits into a buffer

  private final CoreTables tables;
  private final DeviceDma device;

  CoreView(final CoreTables tables, final DeviceDma device) {
    this.tables = tables;
    this.device = device;
  }

  /** Whether all of a run is coherent memory of the device, or in live mappings of it. */
  boolean covers(final long bus, final long size) {
    if (device.coherent().covers(bus, size)) {
      return true;
    }
    final long end = bus + size; // the bus refuses runs that wrap
    long at = bus;
    while (at < end) {
      final ExtentState extent = tables.index().find(at);
      final MappingRecord record = extent == null ? null : live(extent, at);
      if (record == null || device.unmapper().mine(record.generation()) == null) {
        return covered(at, end - at);
      }
      at = record.busAddress + record.size;
    }
    return true;
  }

  private boolean covered(final long bus, final long size) {
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      if (tables.passes().covers(bus, size, direction, device.unmapper())) {
        return true;
      }
    }
    return device.coherent().covers(bus, size);
  }

  private static @Nullable MappingRecord live(final ExtentState extent, final long bus) {
    final MappingRecord record = extent.containing(bus);
    return record != null
            && record.state() == MappingRecord.LIVE
            && bus >= record.busAddress
            && bus - record.busAddress < record.size
        ? record
        : null;
  }

  /** The bus address of RAM that is reached where it is. */
  long busOf(final long address) {
    return tables.memory().platform().busAddress(address, 1, false);
  }

  /** Whether a mapping's device reaches a copy. */
  boolean bounced(final long address, final long bus) {
    return bus != busOf(address) && bus != address && tables.index().find(bus) != null;
  }

  /** Whether an address is in bounce memory, as that of a reachable buffer is. */
  boolean bounceMemory(final long address) {
    return tables.index().find(busOf(address)) != null;
  }

  /** Whether an address is in bounce memory that holds somebody's buffer. */
  boolean holdsBuffer(final long address) {
    final ExtentState extent = tables.index().find(busOf(address));
    return extent != null && live(extent, busOf(address)) != null;
  }

  /** Whether a buffer cannot be reached where it is, and the strategy has nothing else to offer. */
  boolean beyondMask(final long address, final long size) {
    return device.mapper().current().pool != null
        && device.mapper().current().extents() == null
        && beyondMask(busOf(address) + size - 1);
  }

  /** Whether the device cannot form a bus address. */
  boolean beyondMask(final long bus) {
    return Long.compareUnsigned(bus, device.spec().dmaMask()) > 0;
  }

  /** Whether a buffer is RAM, whose bytes can be looked at. */
  boolean ram(final long address, final long size) {
    return tables.memory().offset(address, size) >= 0;
  }

  /** The checksum of the bytes of a buffer that are the device's. */
  int checksum(final DebugEntry entry) {
    final CRC32C sum = new CRC32C();
    if (entry.cpuOwned == null) {
      add(sum, entry.physical, entry.physicalEnd());
    } else {
      final long delta = entry.physical - entry.bus;
      entry.cpuOwned.gaps(
          entry.bus, entry.busEnd(), (start, end) -> add(sum, start + delta, end + delta));
    }
    return (int) sum.getValue();
  }

  private void add(final CRC32C sum, final long from, final long to) {
    final MemorySegment ram = tables.memory().ram();
    for (long at = from; at < to; at += CHUNK) {
      final long bytes = Math.min(CHUNK, to - at);
      sum.update(ram.asSlice(tables.memory().offset(at, bytes), bytes).asByteBuffer());
    }
  }
}
