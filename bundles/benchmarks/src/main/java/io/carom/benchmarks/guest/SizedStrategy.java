package io.carom.benchmarks.guest;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A strategy whose pools are asked to be of one size, as by the {@code swiotlb=} parameter. The
 * instances are the strategy's own: nothing stands in the way of a map.
 */
final class SizedStrategy implements DmaStrategy {
  private final DmaStrategy strategy;
  private final long bytes;

  SizedStrategy(final DmaStrategy strategy, final long bytes) {
    this.strategy = strategy;
    this.bytes = bytes;
  }

  @Override
  public String description() {
    return strategy.description();
  }

  @Override
  public Set<ExtentKind> extents() {
    return strategy.extents();
  }

  @Override
  public @Nullable String refusal(final Negotiation negotiation) {
    return strategy.refusal(negotiation);
  }

  @Override
  public boolean perDevice() {
    return strategy.perDevice();
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return strategy.open(
        new PoolSpec(
            spec.device(),
            spec.extents(),
            spec.availableBytes(),
            spec.cpus(),
            bytes >> Extent.SLOT_SHIFT,
            spec.areas(),
            spec.restricted()));
  }
}
