package io.carom.iommu.pool.slots;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.bounce.DomainRules;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The dynamic bounce pools of "Add dynamic iommu backed bounce buffers": buffers that stay mapped
 * in the device's domain, so that a map that finds an idle one asks nothing of the IOMMU, and an
 * unmap leaves the device nothing of the driver's memory.
 */
public final class PoolStrategy implements DmaStrategy {
  /** Its name. */
  public static final String IOMMU_POOL = "iommu-pool";

  private final BounceLimit limit;
  private volatile PoolSettings settings;

  /** With settings that pools opened from now on get, and the limit of all of them. */
  public PoolStrategy(final PoolSettings settings, final BounceLimit limit) {
    this.settings = settings;
    this.limit = limit;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final PoolSettings next) {
    settings = next;
  }

  /** What pools opened from now on get. */
  public PoolSettings settings() {
    return settings;
  }

  @Override
  public String description() {
    return "bounce buffers that stay mapped in the device's IOMMU domain, by size class";
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
  public String sizeProperty() {
    return "slotsPerClass";
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new DomainPool(DomainRules.space(spec), DomainRules.stripes(spec), settings, limit);
  }
}
