package io.carom.iommu.pool.remap;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.bounce.DomainRules;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Each buffer gets addresses of its own, and loses them when it is unmapped: at once ({@value
 * #IOMMU_STRICT}), or when the flush queue comes to it ({@value #IOMMU_LAZY}), until when the
 * device may still reach it. What must be bounced is, in a buffer that is made for it.
 */
public final class RemapStrategy implements DmaStrategy {
  /** Name of the one that invalidates before unmap returns. */
  public static final String IOMMU_STRICT = "iommu-strict";

  /** Name of the one that puts it off. */
  public static final String IOMMU_LAZY = "iommu-lazy";

  private final boolean deferred;
  private volatile FlushPlan plan;

  private RemapStrategy(final boolean deferred, final FlushPlan plan) {
    this.deferred = deferred;
    this.plan = plan;
  }

  /** The strict one. */
  public static RemapStrategy strict() {
    return new RemapStrategy(false, FlushPlan.STRIPED);
  }

  /** The lazy one, with how its invalidations are queued. */
  public static RemapStrategy lazy(final FlushPlan plan) {
    return new RemapStrategy(true, plan);
  }

  /** Changes what pools opened from now on get. */
  public void plan(final FlushPlan next) {
    plan = next;
  }

  @Override
  public String description() {
    return deferred
        ? "each buffer mapped in the device's IOMMU domain, unmapped with the next flush"
        : "each buffer mapped in the device's IOMMU domain, unmapped and flushed with its unmap";
  }

  @Override
  public Set<ExtentKind> extents() {
    return DomainRules.EXTENTS;
  }

  @Override
  public @Nullable String refusal(final Negotiation negotiation) {
    return DomainRules.refusal(negotiation);
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new RemapPool(DomainRules.space(spec), DomainRules.stripes(spec), deferred, plan);
  }
}
