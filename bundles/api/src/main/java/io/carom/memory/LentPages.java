package io.carom.memory;

import java.lang.foreign.MemorySegment;

/**
 * Pages that a {@link PageLender} lent. Identity counts: one object for each loan.
 *
 * @param address guest-physical address of the first
 * @param memory their bytes, valid until they are given back
 */
public record LentPages(long address, MemorySegment memory) {}
