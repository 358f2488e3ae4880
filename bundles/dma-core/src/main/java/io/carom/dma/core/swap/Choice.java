package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.memory.RestrictedSpace;
import org.jspecify.annotations.Nullable;

/**
 * A strategy service and the memory that it shall work on. Two equal choices can share a pool; a
 * device whose pool was opened for another choice than it should have is swapped.
 *
 * @param ref the service
 * @param extents the kind, or null for one that does not bounce
 * @param slots slots that {@code swiotlb=} asks for, or 0: the strategy's own
 * @param areas areas that it asks for, or 0: the strategy's own
 * @param restricted the restricted pool that its RAM is, or null
 */
public record Choice(
    StrategyRef ref,
    @Nullable ExtentKind extents,
    long slots,
    int areas,
    @Nullable RestrictedSpace restricted) {
  /** The same without the strategy's service, for what outlives it. */
  Choice gone() {
    return new Choice(ref.gone(), extents, slots, areas, restricted);
  }

  /** On a kind of memory whose size nobody asked for. */
  static Choice of(final StrategyRef ref, final @Nullable ExtentKind extents) {
    return new Choice(ref, extents, 0, 0, null);
  }

  /** On guest RAM. */
  static Choice ram(final StrategyRef ref, final long slots, final int areas) {
    return new Choice(ref, ExtentKind.RAM, slots, areas, null);
  }

  /** On the RAM of a restricted pool. */
  static Choice restricted(final StrategyRef ref, final RestrictedSpace space) {
    return new Choice(ref, ExtentKind.RAM, 0, 0, space);
  }
}
