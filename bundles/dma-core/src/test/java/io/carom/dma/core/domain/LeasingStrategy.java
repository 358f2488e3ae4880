package io.carom.dma.core.domain;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** A strategy for tests, of one stripe: remaps, or bounces each buffer in pages made for it. */
final class LeasingStrategy implements DmaStrategy {
  /** Whether it gives pages back as soon as nothing is in them. */
  volatile boolean givesBack;

  /** Run when it has counted what is used, before it answers. */
  volatile Runnable counted = () -> {};

  private final boolean bounces;

  LeasingStrategy(final boolean bounces) {
    this.bounces = bounces;
  }

  @Override
  public String description() {
    return "leases for each buffer, for tests";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of(ExtentKind.IOVA);
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new Instance(Objects.requireNonNull(spec.iova()));
  }

  private final class Instance implements StrategyInstance {
    private final IovaSpace space;
    private final Map<Long, Extent> idle = new HashMap<>();
    private final Map<Long, Extent> used = new HashMap<>();

    Instance(final IovaSpace space) {
      this.space = space;
    }

    @Override
    public int stripes() {
      return 1;
    }

    @Override
    public ExtentPlan plan() {
      return ExtentPlan.NOTHING;
    }

    @Override
    public boolean mapsLists() {
      return true;
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      return 1 << 20;
    }

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement answer) {
      if (bounces && !idle.isEmpty()) {
        final Extent extent = idle.remove(idle.keySet().iterator().next());
        used.put(extent.busAddress(), extent);
        answer.bounce(extent.busAddress(), extent.busAddress(), extent.size());
        answer.zero(IovaSpace.ZERO_REST);
        return;
      }
      final long iova = space.lease(stripe, request.ioBytes, Long.MAX_VALUE);
      if (bounces) {
        answer.needExtent(iova, request.ioBytes, IovaSpace.READ | IovaSpace.WRITE);
      } else {
        answer.remap(iova, false);
      }
    }

    @Override
    public void grant(final int stripe, final Extent extent) {
      idle.put(extent.busAddress(), extent);
    }

    @Override
    public void retract(final int stripe, final Extent extent) {
      idle.remove(extent.busAddress());
    }

    @Override
    public boolean release(final int stripe, final long runAddress, final long runBytes) {
      final Extent free = Objects.requireNonNull(used.remove(runAddress));
      if (!givesBack) {
        idle.put(runAddress, free);
      }
      return givesBack;
    }

    @Override
    public long usedSlots() {
      final long slots = used.values().stream().mapToLong(Extent::slots).sum();
      counted.run();
      return slots;
    }

    @Override
    public long totalSlots() {
      return 0;
    }

    @Override
    public long largestFreeRun() {
      return 1 << 20;
    }

    @Override
    public void close() {}
  }
}
