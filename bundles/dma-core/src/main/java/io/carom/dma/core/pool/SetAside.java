package io.carom.dma.core.pool;

/**
 * Extents of a pool that were set aside, as something may reach them still.
 *
 * @param pool name of the pool
 * @param strategy name of its strategy
 * @param extents how many
 * @param reason such as {@code drain deadline}, or what the strategy did
 */
public record SetAside(String pool, String strategy, int extents, String reason) {}
