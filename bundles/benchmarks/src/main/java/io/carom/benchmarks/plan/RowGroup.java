package io.carom.benchmarks.plan;

import io.carom.dma.DmaDirection;

/**
 * Rows that are measured in the same rounds: with one thread and with two.
 *
 * @param sizeBytes bytes of a mapping
 * @param direction direction
 * @param fillPercent share of the pool that other mappings hold
 * @param scaling whether the ratio of the two is wanted too
 */
public record RowGroup(long sizeBytes, DmaDirection direction, int fillPercent, boolean scaling) {}
