package io.carom.dma;

import org.jspecify.annotations.Nullable;

/**
 * A device and its counters since it was attached; counters survive swaps.
 *
 * @param device device name
 * @param wanted configured strategy
 * @param strategy strategy in use, or null for none
 * @param extents kind of its bounce memory, or null when it does not bounce
 * @param generation number of its generation
 * @param swiotlb whether VIRTIO_F_SWIOTLB was accepted
 * @param live live mappings
 * @param maps successful maps
 * @param unmaps unmaps
 * @param syncs syncs
 * @param bounced maps that were bounced
 * @param copiedInBytes bytes copied into bounce memory
 * @param copiedOutBytes bytes copied back
 * @param failedMaps maps that failed, {@code noStrategyMaps} not among them
 * @param tooBig failed: larger than the strategy can ever map
 * @param fragmented failed: room, but not in one run
 * @param full failed: no room
 * @param mask failed: not reachable under the device's mask
 * @param strategyErrors failed: the strategy threw or returned nonsense
 * @param throttled failed: still throttled at the deadline
 * @param noStrategyMaps maps that found no strategy
 * @param borrowedMaps maps served from a draining strategy's extents
 * @param regionBytes bytes of the device's region, 0 without one
 * @param reserveBytes bytes of it set apart for coherent memory
 * @param coherentBytes coherent memory in use
 * @param reachableBytes bounce memory that its driver holds as I/O buffers
 * @param io_tlb_used slots of bounce memory that its mappings hold now
 * @param io_tlb_used_hiwater most slots that they held at a tick of the core, or since reset
 * @param revokedCalls unmaps and syncs of mappings that the core had revoked, which did nothing
 */
public record DmaDeviceInfo(
    String device,
    String wanted,
    @Nullable String strategy,
    @Nullable ExtentKind extents,
    int generation,
    boolean swiotlb,
    long live,
    long maps,
    long unmaps,
    long syncs,
    long bounced,
    long copiedInBytes,
    long copiedOutBytes,
    long failedMaps,
    long tooBig,
    long fragmented,
    long full,
    long mask,
    long strategyErrors,
    long throttled,
    long noStrategyMaps,
    long borrowedMaps,
    long regionBytes,
    long reserveBytes,
    long coherentBytes,
    long reachableBytes,
    long io_tlb_used,
    long io_tlb_used_hiwater,
    long revokedCalls) {}
