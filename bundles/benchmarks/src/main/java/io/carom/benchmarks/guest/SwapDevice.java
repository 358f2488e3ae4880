package io.carom.benchmarks.guest;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A machine, a core on it, and one device that accepted VIRTIO_F_SWIOTLB: it may use its own region
 * only. All strategies that can are there.
 */
public final class SwapDevice implements AutoCloseable {
  /** Bounce memory of the device. */
  public static final long POOL_BYTES = 8L << 20;

  /** Where its region lies. */
  public static final long REGION = BenchDevice.REGION;

  private static final String NAME = "bench";
  private static final String FIRST = "swiotlb-fixed";
  private static final long RESERVE_BYTES = 256L << 10;
  private static final SwapOptions IN_REGION = new SwapOptions(ExtentKind.DEVICE, null, null);

  private final BenchMachine machine = new BenchMachine();
  private final DmaCore core;
  private final DmaDevice device;
  private final MemorySegment region = LazyMemory.allocate(RESERVE_BYTES + POOL_BYTES);
  private final List<String> strategies;

  /**
   * A device on the first of its strategies.
   *
   * @throws IllegalStateException when it does not open
   */
  public SwapDevice() {
    core =
        new DmaCore(
            machine.memory(),
            machine.pages(),
            Lookups.settings(FIRST, Lookups.DIRECT),
            Copier.COPYING,
            Timing.SYSTEM);
    long id = 0;
    for (final String name : Strategies.names()) {
      core.strategyAdded(
          new StrategyRef(name, Strategies.make(name, POOL_BYTES), 0, NAME, ++id, 0));
    }
    device =
        core.attach(
            DmaDeviceSpec.of(NAME, new DmaDeviceSpec.Region(REGION, region, RESERVE_BYTES)));
    device.negotiated(new Negotiation(true, false));
    strategies = core.allowed(NAME).stream().filter(Strategies.names()::contains).toList();
    Opening.await(FIRST, this::settled);
  }

  /** Whatever the core began by itself when the device was negotiated must be over. */
  private CompletionStage<SwapReport> settled() {
    while (!core.transitions().isEmpty()) {
      Thread.yield();
    }
    return core.use(NAME, FIRST, IN_REGION);
  }

  /** The names of the strategies that it may use. */
  public List<String> strategies() {
    return strategies;
  }

  /**
   * Begins a swap.
   *
   * @throws IllegalStateException when one is going on
   */
  public CompletionStage<SwapReport> use(final String strategy) {
    return core.use(NAME, strategy, IN_REGION);
  }

  /** The driver's view of it. */
  public DmaDevice dma() {
    return device;
  }

  /** Its machine. */
  public BenchMachine machine() {
    return machine;
  }

  /** Its region, which begins at {@link #REGION}. */
  public MemorySegment region() {
    return region;
  }

  @Override
  public void close() {
    core.close();
  }
}
