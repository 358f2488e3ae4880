package io.carom.dma.core.direct;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Direct mapping: every buffer that the device can reach is passed as it is. */
public final class DirectStrategy implements DmaStrategy {
  /** Its name. */
  public static final String DIRECT = "direct";

  /** The strategy. */
  public DirectStrategy() {}

  @Override
  public String description() {
    return "no bouncing: the device reaches the buffer where it is";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of();
  }

  @Override
  public @Nullable String refusal(final Negotiation negotiation) {
    return negotiation.swiotlb()
        ? "the device accepted VIRTIO_F_SWIOTLB, so every address must lie in its region"
        : null;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new Instance(Integer.highestOneBit(Math.max(1, spec.cpus() * 2 - 1)));
  }

  private record Instance(int stripes) implements StrategyInstance {
    @Override
    public ExtentPlan plan() {
      return ExtentPlan.NOTHING;
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      return Long.MAX_VALUE;
    }

    @Override
    public void grant(final int stripe, final Extent extent) {
      throw new IllegalStateException("direct wants no extents");
    }

    @Override
    public void retract(final int stripe, final Extent extent) {
      throw new IllegalStateException("direct has no extents");
    }

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement answer) {
      if (request.busAddress < 0) {
        answer.refuse(Refusal.MASK);
      } else {
        answer.pass();
      }
    }

    @Override
    public boolean release(final int stripe, final long runAddress, final long runBytes) {
      throw new IllegalStateException("direct bounces nothing");
    }

    @Override
    public long usedSlots() {
      return 0;
    }

    @Override
    public long totalSlots() {
      return 0;
    }

    @Override
    public long largestFreeRun() {
      return 0;
    }

    @Override
    public void close() {}
  }
}
