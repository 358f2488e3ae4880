package io.carom.dma.core.swap;

import io.carom.dma.spi.DmaStrategy;

/**
 * A strategy service that is there.
 *
 * @param name its name
 * @param strategy the service
 * @param ranking service ranking
 * @param bundle symbolic name and version of its bundle
 * @param id service id: what makes two services of one name different
 * @param revision grows when the service's configuration changed so that a new pool is needed
 */
public record StrategyRef(
    String name, DmaStrategy strategy, int ranking, String bundle, long id, int revision) {
  /** The same without the service, for what outlives it. */
  StrategyRef gone() {
    return new StrategyRef(name, GoneStrategy.INSTANCE, ranking, bundle, id, revision);
  }
}
