package io.carom.benchmarks.measure;

import io.carom.benchmarks.guest.Strategies;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A map and its unmap as they were in a core whose strategy is there for good: the request is
 * written, the strategy called, its answer checked against the extent, the record made and found
 * again, its size and direction compared, and the slots given back. There are no generations, no
 * stripe is locked, nothing is counted, and nobody watches the strategy.
 *
 * <p>What {@link MapLoop} takes longer is the price of hot swap.
 */
public final class DirectLoop extends Loop {
  private static final long BUS = 0x80_0000_0000L;
  private static final int STRIPE = 0;
  private static final long MASK = -1L >>> 1;

  private final StrategyInstance strategy;
  private final ExtentIndex index = new ExtentIndex();
  private final MapRequest request = new MapRequest();
  private final Placement placement = new Placement();
  private final long address;
  private final long size;
  private @Nullable ExtentState recent;

  /**
   * Of a buffer.
   *
   * @param name of the strategy
   * @param poolBytes size of its pool, which lies in a device's region
   */
  public DirectLoop(final String name, final long poolBytes, final long address, final long size) {
    this.address = address;
    this.size = size;
    final int cpus = Runtime.getRuntime().availableProcessors();
    strategy =
        Strategies.make(name, poolBytes)
            .open(new PoolSpec("bench", ExtentKind.DEVICE, poolBytes, cpus));
    final Extent extent = new Extent(1, ExtentKind.DEVICE, BUS, poolBytes);
    index.add(new ExtentState(extent, MemorySegment.NULL, 0));
    strategy.grant(STRIPE, extent);
    request.dmaMask = MASK;
    request.boundaryMask = -1;
    request.unconstrained = true;
    request.direction = DmaDirection.TO_DEVICE.ordinal();
  }

  @Override
  protected long run(final long operations) {
    long failures = 0;
    for (long i = 0; i < operations; i++) {
      failures += once() ? 0 : 1;
    }
    return failures;
  }

  /** A map and its unmap; false when the strategy refused. */
  public boolean once() {
    final long bus = map();
    if (bus < 0) {
      return false;
    }
    unmap(bus);
    return true;
  }

  private long map() {
    request.address = address;
    request.busAddress = address;
    request.size = size;
    placement.clear();
    strategy.allocate(STRIPE, request, placement);
    if (placement.kind() != Placement.BOUNCE) {
      return -1;
    }
    final long bus = placement.busAddress();
    ExtentState extent = recent;
    if (extent == null || !extent.holds(bus)) {
      extent = index.find(bus);
      recent = extent;
    }
    final MappingRecord record =
        extent == null
            ? null
            : extent.take(bus, size, placement.runAddress(), placement.runBytes());
    if (record == null || bus > MASK - size) {
      return -1;
    }
    record.fill(address, bus, size, request.direction, STRIPE, 0);
    record.publish();
    return bus;
  }

  private void unmap(final long bus) {
    final ExtentState extent = index.find(bus);
    final MappingRecord record = extent == null ? null : extent.record(bus);
    if (extent == null
        || record == null
        || record.state() != MappingRecord.LIVE
        || record.busAddress != bus
        || record.size != size
        || record.direction() != DmaDirection.TO_DEVICE.ordinal()) {
      throw new IllegalStateException("no mapping at 0x" + Long.toHexString(bus));
    }
    extent.giveBack(record);
    final long runAddress = extent.runAddress(record);
    final long runBytes = extent.runBytes(record);
    record.free();
    strategy.release(STRIPE, runAddress, runBytes);
  }
}
