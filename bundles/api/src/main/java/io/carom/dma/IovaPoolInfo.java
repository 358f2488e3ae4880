package io.carom.dma;

import io.carom.dma.spi.IovaClass;
import java.util.List;

/**
 * A domain of the guest and what a strategy keeps there, for people.
 *
 * @param domain number of the domain at the IOMMU
 * @param strategy strategy of the pool
 * @param state as in {@link PoolInfo}
 * @param devices devices that are attached to the domain
 * @param open whether all RAM is mapped one to one: a device of it uses a strategy without an IOMMU
 * @param windowPages pages mapped one to one for mappings that are older than the domain
 * @param coherentPages pages mapped one to one for coherent memory
 * @param remapped live mappings of buffers where they are
 * @param classes size classes, smallest first, single-use buffers last
 * @param pagesHeld pages of the pool, in flight or kept
 * @param queued ranges that wait for the flush
 * @param flushes flushes of the queue
 * @param openWindowUs longest time, in microseconds, for which an unmapped buffer could still be
 *     reached
 * @param leakedBytes address space lost to failed unmaps
 */
public record IovaPoolInfo(
    int domain,
    String strategy,
    String state,
    List<String> devices,
    boolean open,
    long windowPages,
    long coherentPages,
    long remapped,
    List<IovaClass> classes,
    long pagesHeld,
    long queued,
    long flushes,
    double openWindowUs,
    long leakedBytes) {}
