package io.carom.iommu.pool;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A strategy as a service: a component has its configuration, and hands on everything that a
 * strategy is asked, so that none of it is forgotten when the contract grows.
 */
abstract class ServedStrategy implements DmaStrategy {
  ServedStrategy() {}

  /** The strategy itself. */
  abstract DmaStrategy strategy();

  @Override
  public final String description() {
    return strategy().description();
  }

  @Override
  public final Set<ExtentKind> extents() {
    return strategy().extents();
  }

  @Override
  public final @Nullable String refusal(final Negotiation negotiation) {
    return strategy().refusal(negotiation);
  }

  @Override
  public final String sizeProperty() {
    return strategy().sizeProperty();
  }

  @Override
  public final boolean perDevice() {
    return strategy().perDevice();
  }

  @Override
  public final StrategyInstance open(final PoolSpec spec) {
    return strategy().open(spec);
  }
}
