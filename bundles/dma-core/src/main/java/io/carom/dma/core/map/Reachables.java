package io.carom.dma.core.map;

import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.core.memory.PlatformSync;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import io.carom.memory.PhysicalLayout;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The I/O buffers that a driver holds in its device's bounce memory. A run that is held keeps its
 * extent where it is, as a mapping would, but belongs to no generation: a swap does not wait for
 * it. Maps of any part of it pass, whatever the strategy of the day. It stays the driver's when the
 * device is closed, until the driver gives it back: it may still write there.
 */
public final class Reachables {
  private final CoreTables tables;
  private final PlatformSync platform;
  private final String device;
  private final int number;
  private final Mapper mapper;
  private final Map<Long, Held> held = new HashMap<>(); // by bus address; guarded by this
  private volatile long bytes;

  private record Held(ExtentState extent, MappingRecord record, Pool pool) {}

  /** A device without such buffers. */
  Reachables(final CoreTables tables, final String device, final int number, final Mapper mapper) {
    this.mapper = mapper;
    this.tables = tables;
    platform = new PlatformSync(tables.memory());
    this.device = device;
    this.number = number;
  }

  /** Bytes that the driver holds. */
  public long bytes() {
    return bytes;
  }

  /** As {@link io.carom.dma.DmaDevice#allocateReachable}. */
  @Nullable ReachableBuffer allocate(final long size) {
    final long whole =
        (size + PhysicalLayout.PAGE_SIZE - 1) & -(long) PhysicalLayout.PAGE_SIZE; // RAM-sized
    final Pool pool = mapper.current().pool;
    if (size > 1L << 40
        || pool == null
        || pool.extents() == null
        || pool.extents() == ExtentKind.IOVA) { // a domain's extents are for mappings only
      return null;
    }
    final long slots = whole >> Extent.SLOT_SHIFT;
    if (!pool.reserveReachable(slots, tables.limits().reachablePercent())) {
      return null;
    }
    final long bus = mapper.reach(pool, whole);
    if (bus < 0) {
      pool.unreserveReachable(slots);
      return null;
    }
    final ExtentState extent = tables.index().find(bus);
    if (extent == null) {
      throw new IllegalStateException("no extent at 0x" + Long.toHexString(bus));
    }
    synchronized (this) {
      held.put(bus, new Held(extent, extent.record(bus), pool));
      bytes += whole;
      mapper.holdsReachable(true);
    }
    return new ReachableBuffer(
        address(extent, bus), extent.memory.asSlice(bus + extent.delta, size));
  }

  /** As {@link io.carom.dma.DmaDevice#freeReachable}. */
  void free(final ReachableBuffer buffer) {
    final Held run;
    final long bus;
    synchronized (this) {
      bus = busOf(buffer.address());
      run = held.get(bus);
      if (run == null) {
        throw new DmaUsageException(
            device, buffer.address(), "not a reachable buffer of this device");
      }
      if (tables.passes().any(bus, bus + run.record.size)) {
        throw new DmaUsageException(
            device, buffer.address(), "a mapping of the reachable buffer lives");
      }
      held.remove(bus);
      bytes -= run.record.size;
      mapper.holdsReachable(!held.isEmpty());
    }
    final long slots = run.record.size >> Extent.SLOT_SHIFT;
    Pool.endHeld(run.extent, run.record);
    run.pool.unreserveReachable(slots);
  }

  /**
   * The bus address of a buffer that lies within a reachable one, or -1.
   *
   * @param regionOnly whether the device reaches nothing but its own region
   */
  long find(final long address, final long size, final boolean regionOnly) {
    final long bus = busOf(address);
    final ExtentState extent = bus < 0 ? null : tables.index().find(bus);
    if (extent == null || (regionOnly && extent.extent.kind() != ExtentKind.DEVICE)) {
      return -1;
    }
    final MappingRecord record = extent.containing(bus);
    if (record == null
        || record.state() != MappingRecord.REACHABLE
        || record.generation() != MappingRecord.heldBy(number)) {
      return -1;
    }
    final long within = bus - record.busAddress;
    return within >= 0 && size <= record.size - within ? bus : -1;
  }

  /** RAM is where the platform says; a region's bus address is its physical one. */
  private long busOf(final long address) {
    return tables.memory().offset(address) < 0 ? address : platform.sharedAddress(address, 1);
  }

  private long address(final ExtentState extent, final long bus) {
    return extent.extent.kind() == ExtentKind.DEVICE ? bus : platform.physical(bus, 1);
  }
}
