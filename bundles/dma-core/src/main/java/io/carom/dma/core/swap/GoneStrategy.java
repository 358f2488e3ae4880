package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;

/**
 * What is left of a strategy in the pools that it has opened once its service is gone: they may
 * have mappings for long, and must not hold the class loader of its bundle.
 */
final class GoneStrategy implements DmaStrategy {
  static final GoneStrategy INSTANCE = new GoneStrategy();

  private GoneStrategy() {}

  @Override
  public String description() {
    return "its service has gone";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of();
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    throw new IllegalStateException(spec + ": the strategy's service has gone");
  }
}
