package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * A strategy service and the kind of memory it shall work on.
 *
 * @param ref the service
 * @param extents the kind, or null for one that does not bounce
 */
public record Choice(StrategyRef ref, @Nullable ExtentKind extents) {}
