package io.carom.benchmarks.guest;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.Extent;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A machine, a core on it, and one device on one strategy. */
public final class BenchDevice implements AutoCloseable {
  /**
   * Size of a pool where nothing else is asked for: {@code swiotlb=32768}, the kernel's default.
   */
  public static final long POOL_BYTES = 64L << 20;

  /** Where the device's region lies. */
  public static final long REGION = 0x80_0000_0000L;

  /** The strategy that does not bounce. */
  public static final String DIRECT = DirectStrategy.DIRECT;

  private static final String NAME = "bench";
  private static final long RESERVE_BYTES = 256L << 10;
  private static final long SMALL_REGION_BYTES = 16L << 20;
  private static final Copier NO_COPY = (from, fromOffset, to, toOffset, size) -> {};

  private final BenchMachine machine = new BenchMachine();
  private final DmaCore core;
  private final DmaDevice device;
  private final String strategy;
  private final MemorySegment region;

  /**
   * A device on a strategy.
   *
   * @param strategy its name
   * @param extents where it bounces to, or null when it does not
   * @param copy whether bytes are moved
   * @param poolBytes size of its pool
   * @param lookup how the core finds records
   * @throws IllegalStateException when the strategy does not open
   */
  public BenchDevice(
      final String strategy,
      final @Nullable ExtentKind extents,
      final boolean copy,
      final long poolBytes,
      final String lookup) {
    this.strategy = strategy;
    core =
        new DmaCore(
            machine.memory(),
            machine.pages(),
            Lookups.settings(DIRECT, lookup),
            copy ? Copier.COPYING : NO_COPY,
            Timing.SYSTEM);
    if (!strategy.equals(DIRECT)) {
      core.strategyAdded(
          new StrategyRef(strategy, Strategies.make(strategy, poolBytes), 0, NAME, 1, 0));
    }
    region =
        LazyMemory.allocate(
            RESERVE_BYTES + (extents == ExtentKind.DEVICE ? poolBytes : SMALL_REGION_BYTES));
    device =
        core.attach(
            DmaDeviceSpec.of(NAME, new DmaDeviceSpec.Region(REGION, region, RESERVE_BYTES)));
    device.negotiated(Negotiation.NONE);
    if (!strategy.equals(DIRECT)) {
      use(extents);
    }
  }

  /** A device on a pool of the usual size, in the core as it is by default. */
  public static BenchDevice of(
      final String strategy, final @Nullable ExtentKind extents, final boolean copy) {
    return new BenchDevice(strategy, extents, copy, POOL_BYTES, Lookups.DIRECT);
  }

  private void use(final @Nullable ExtentKind extents) {
    try {
      Opening.await(strategy, () -> core.use(NAME, strategy, new SwapOptions(extents, null, null)));
    } catch (final IllegalStateException e) {
      core.close();
      throw e;
    }
  }

  /** The driver's view of it. */
  public DmaDevice dma() {
    return device;
  }

  /** Its machine. */
  public BenchMachine machine() {
    return machine;
  }

  /** Its region. */
  public MemorySegment region() {
    return region;
  }

  /** The memory that a bus address lies in. */
  public MemorySegment memory(final long busAddress) {
    return busAddress >= REGION ? region : machine.memory().ram();
  }

  /** The offset in that memory. */
  public long offset(final long busAddress) {
    return busAddress >= REGION ? busAddress - REGION : machine.memory().offset(busAddress);
  }

  /** Bounce memory that the strategy has now, bytes. */
  public long poolBytes() {
    long slots = 0;
    for (final PoolInfo pool : core.pools()) {
      if (pool.strategy().equals(strategy)) {
        slots += pool.io_tlb_nslabs();
      }
    }
    return slots << Extent.SLOT_SHIFT;
  }

  @Override
  public void close() {
    core.close();
  }
}
