package io.carom.dma;

import org.jspecify.annotations.Nullable;

/**
 * A pool of bounce memory, under the kernel's counter names.
 *
 * @param pool name: the strategy for a shared pool, strategy and device for a device's own
 * @param strategy strategy that owns it
 * @param extents kind of memory
 * @param device the device it belongs to, or null for a shared one
 * @param state {@code ACTIVE}, {@code DRAINING}, {@code ADOPTED} or {@code QUARANTINED}
 * @param io_tlb_nslabs slots
 * @param io_tlb_used slots in use
 * @param io_tlb_used_hiwater most slots ever in use at a tick of the core, or since reset
 * @param io_tlb_transient_nslabs slots of extents that exist for one mapping only
 * @param areas stripes
 * @param largestFreeRunBytes largest mapping that fits now
 */
public record PoolInfo(
    String pool,
    String strategy,
    ExtentKind extents,
    @Nullable String device,
    String state,
    long io_tlb_nslabs,
    long io_tlb_used,
    long io_tlb_used_hiwater,
    long io_tlb_transient_nslabs,
    int areas,
    long largestFreeRunBytes) {}
