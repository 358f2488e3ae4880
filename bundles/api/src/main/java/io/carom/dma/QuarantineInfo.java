package io.carom.dma;

/**
 * Bounce memory that is out of use, as something may reach it still.
 *
 * @param pool name of the pool that it was in
 * @param strategy name of its strategy
 * @param extents how many extents
 * @param bytes bytes of them
 * @param live mappings in them
 * @param ageMs since when, milliseconds
 * @param reason such as {@code drain deadline}, or what its strategy did
 */
public record QuarantineInfo(
    String pool, String strategy, int extents, long bytes, long live, long ageMs, String reason) {}
