package io.carom.strategies.iommu;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;

/** A strategy that is legal and does not open. */
final class BrokenStrategy implements DmaStrategy {
  @Override
  public String description() {
    return "does not open";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of(ExtentKind.RAM);
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    throw new IllegalStateException("it does not open");
  }
}
