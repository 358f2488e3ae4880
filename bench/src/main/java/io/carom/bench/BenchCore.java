package io.carom.bench;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.memory.LazyMemory;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A core with one device on one strategy. */
final class BenchCore implements AutoCloseable {
  /** Where the device's region lies. */
  static final long REGION = 0x80_0000_0000L;

  private static final long REGION_BYTES = 16L << 20;
  private static final long RESERVE_BYTES = 256L << 10;
  private static final Copier NO_COPY = (from, fromOffset, to, toOffset, size) -> {};

  /** The machine. */
  final BenchGuest guest = new BenchGuest();

  /** The device's region. */
  final MemorySegment region = LazyMemory.allocate(REGION_BYTES);

  /** The device. */
  final DmaDevice device;

  private final DmaCore core;

  /**
   * A core on which the device uses a strategy.
   *
   * @param extents where it bounces to, or null when it does not
   * @param copy whether bytes are moved
   */
  BenchCore(final String strategy, final @Nullable ExtentKind extents, final boolean copy) {
    final Settings settings = new Settings(strategy, true, 1_000, SwapPolicy.ADOPT, 60_000);
    core =
        new DmaCore(guest.memory, guest, settings, copy ? Copier.COPYING : NO_COPY, Timing.SYSTEM);
    core.strategyAdded(
        new StrategyRef(
            FixedStrategy.SWIOTLB_FIXED,
            new FixedStrategy(FixedSettings.DEFAULTS),
            0,
            "bench",
            1,
            0));
    device =
        core.attach(
            DmaDeviceSpec.of("bench", new DmaDeviceSpec.Region(REGION, region, RESERVE_BYTES)));
    device.negotiated(Negotiation.NONE);
    try {
      core.use("bench", strategy, new SwapOptions(extents, null, null))
          .toCompletableFuture()
          .get(10, TimeUnit.SECONDS);
    } catch (final Exception e) {
      throw new IllegalStateException("no " + strategy, e);
    }
  }

  @Override
  public void close() {
    core.close();
  }
}
