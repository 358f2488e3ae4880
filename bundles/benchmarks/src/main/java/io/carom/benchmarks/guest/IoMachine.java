package io.carom.benchmarks.guest;

import io.carom.benchmarks.io.Jobs;
import io.carom.benchmarks.io.VirtualTime;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.Extent;
import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A machine, a core on it, and one device that does I/O under one strategy. */
public final class IoMachine implements AutoCloseable {
  private static final String PORT = "00:04.0";
  private static final String DEVICE = "0000:" + PORT;
  private static final long STEP_NS = 1_000_000;
  private static final long NS_PER_US = 1_000;
  private static final Copier NO_COPY = (from, fromOffset, to, toOffset, size) -> {};

  private final IoSpec spec;
  private final BenchMachine machine;
  private final DmaCore core;
  private final IommuSide iommu;
  private final PortControl port;
  private final DmaDevice device;

  /**
   * A machine whose device is on its strategy.
   *
   * @throws IllegalStateException when the strategy does not open
   */
  public IoMachine(final IoSpec spec) {
    this.spec = spec;
    final IoStrategies.Recipe recipe = IoStrategies.of(spec);
    final VirtualTime time = spec.time();
    machine = new BenchMachine(spec.ramBytes());
    core =
        new DmaCore(
            machine.memory(),
            machine.pages(),
            Lookups.settings(DirectStrategy.DIRECT, Lookups.DIRECT),
            copier(spec),
            time == null ? Timing.SYSTEM : time);
    try {
      final boolean translated = recipe.side() != IoStrategies.Side.NONE;
      iommu =
          translated
              ? new VirtioIommuSide(
                  machine, core, spec, PORT, recipe.side() == IoStrategies.Side.BATCHED)
              : IommuSide.NONE;
      port = machine.ports().create(PORT);
      port.busMaster(true);
      device = core.attach(DmaDeviceSpec.of(DEVICE, null));
      device.negotiated(new Negotiation(false, translated));
      if (recipe.maker() != null) {
        core.strategyAdded(
            new StrategyRef(spec.strategy(), recipe.maker().apply(spec), 0, DEVICE, 1, 0));
        use();
      }
      if (time != null) {
        time.begin();
      }
    } catch (final RuntimeException e) {
      end();
      throw e;
    }
  }

  private static Copier copier(final IoSpec spec) {
    if (!spec.copy()) {
      return NO_COPY;
    }
    final VirtualTime time = spec.time();
    return time == null ? Copier.COPYING : charging(time, spec.costs());
  }

  /**
   * Bytes are moved, so that they can be checked, and take the time of cold ones. Clearing takes as
   * much as a copy: both wait for the memory that is written.
   */
  private static Copier charging(final VirtualTime time, final CostProfile costs) {
    return new Copier() {
      @Override
      public void copy(
          final MemorySegment from,
          final long fromOffset,
          final MemorySegment to,
          final long toOffset,
          final long size) {
        MemorySegment.copy(from, fromOffset, to, toOffset, size);
        charge(size);
      }

      @Override
      public void clear(final MemorySegment memory, final long offset, final long size) {
        Copier.super.clear(memory, offset, size);
        charge(size);
      }

      private void charge(final long size) {
        final long perUs = costs.copyBytesPerUs();
        time.spend(costs.copyNs() + (perUs == 0 ? 0 : size * NS_PER_US / perUs));
      }
    };
  }

  private void end() {
    core.close();
    if (spec.time() != null) {
      spec.time().close(); // whoever of the core sleeps in it would sleep for ever
    }
  }

  private void use() {
    Opening.await(spec.strategy(), this::begin);
  }

  private CompletionStage<SwapReport> begin() {
    final CompletableFuture<SwapReport> swap =
        core.use(DEVICE, spec.strategy(), new SwapOptions(null, null, null)).toCompletableFuture();
    final VirtualTime time = spec.time();
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Opening.SECONDS);
    while (time != null && !swap.isDone() && System.nanoTime() - deadline < 0) {
      time.advance(STEP_NS); // the swap waits in virtual time
      Thread.yield();
    }
    return swap;
  }

  /** The driver's view of the device. */
  public DmaDevice dma() {
    return device;
  }

  /** The machine. */
  public BenchMachine machine() {
    return machine;
  }

  /** Jobs on the device. */
  public Jobs jobs() {
    return new Jobs(device, port.port(), machine.memory(), machine.pages(), spec.costs());
  }

  /** What the guest asked of the IOMMU. */
  public IommuCounters counters() {
    return iommu.counters();
  }

  /** Bytes copied in and out so far. */
  public long copiedBytes() {
    return core.devices().stream()
        .filter(info -> info.device().equals(DEVICE))
        .mapToLong((DmaDeviceInfo info) -> info.copiedInBytes() + info.copiedOutBytes())
        .sum();
  }

  /** Bounce memory that the strategy holds now, bytes. */
  public long poolBytes() {
    if (!core.iovaPools().isEmpty()) {
      return pagesHeld() * PhysicalLayout.PAGE_SIZE;
    }
    long slots = 0;
    for (final PoolInfo pool : core.pools()) {
      if (pool.strategy().equals(spec.strategy())) {
        slots += pool.io_tlb_nslabs();
      }
    }
    return slots << Extent.SLOT_SHIFT;
  }

  /** Pages that pools hold in IOMMU domains now. */
  public long pagesHeld() {
    return core.iovaPools().stream().mapToLong(IovaPoolInfo::pagesHeld).sum();
  }

  /** Longest time for which an unmapped buffer could still be reached, or null without a domain. */
  public @Nullable Double openWindowUs() {
    final List<IovaPoolInfo> pools = core.iovaPools();
    return pools.isEmpty()
        ? null
        : pools.stream().mapToDouble(IovaPoolInfo::openWindowUs).max().orElseThrow();
  }

  @Override
  public void close() {
    if (spec.time() != null) {
      spec.time().close(); // whoever sleeps in it would sleep for ever
    }
    device.close();
    iommu.close();
    core.close();
    port.close();
  }
}
