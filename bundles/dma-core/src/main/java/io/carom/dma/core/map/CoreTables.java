package io.carom.dma.core.map;

import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.GenerationTable;
import io.carom.memory.GuestMemory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What all devices of a core share.
 *
 * @param memory guest RAM
 * @param index extents by bus address
 * @param generations generations by number
 * @param passes records of mappings in place
 * @param copier moves bytes
 * @param extentIds numbers for extents
 * @param tick the core's coarse clock
 * @param limits what is configured for single maps
 */
public record CoreTables(
    GuestMemory memory,
    ExtentIndex index,
    GenerationTable generations,
    PassTable passes,
    Copier copier,
    AtomicInteger extentIds,
    Tick tick,
    Limits limits) {
  /** Empty tables over a guest's memory. */
  public static CoreTables of(final GuestMemory memory, final Copier copier) {
    return new CoreTables(
        memory,
        new ExtentIndex(),
        new GenerationTable(),
        new PassTable(),
        copier,
        new AtomicInteger(),
        new Tick(),
        new Limits());
  }
}
