package io.carom.dma.core.map;

import io.carom.dma.core.memory.RegionSpaces;
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
 * @param regions the devices' regions
 */
public record CoreTables(
    GuestMemory memory,
    ExtentIndex index,
    GenerationTable generations,
    PassTable passes,
    Copier copier,
    AtomicInteger extentIds,
    Tick tick,
    Limits limits,
    RegionSpaces regions) {
  /** Empty tables over a guest's memory. */
  public static CoreTables of(final GuestMemory memory, final Copier copier) {
    final ExtentIndex index = new ExtentIndex();
    final AtomicInteger ids = new AtomicInteger();
    return new CoreTables(
        memory,
        index,
        new GenerationTable(),
        new PassTable(),
        copier,
        ids,
        new Tick(),
        new Limits(),
        new RegionSpaces(index, ids));
  }
}
