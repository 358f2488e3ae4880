package io.carom.dma.spi;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * What an instance is opened for.
 *
 * @param device the one device it will serve, or null when it is shared
 * @param extents kind of its bounce memory, or null for a strategy that never bounces
 * @param availableBytes most bounce memory that it can ever get: the region's share for a device,
 *     the RAM below the limit for RAM
 * @param cpus processors of the machine; the usual number of stripes
 */
public record PoolSpec(
    @Nullable String device, @Nullable ExtentKind extents, long availableBytes, int cpus) {}
