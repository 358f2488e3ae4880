package io.carom.dma;

import org.jspecify.annotations.Nullable;

/**
 * A live mapping.
 *
 * @param device device name
 * @param busAddress where the device sees it, hexadecimal
 * @param address where the buffer is, guest-physical, hexadecimal
 * @param sizeBytes bytes
 * @param direction as mapped
 * @param strategy strategy that placed it
 * @param extents kind of memory that it was placed in, or null when it was not bounced
 * @param generation generation of the device that it belongs to
 * @param placement {@code BOUNCE}, {@code PASS}, or {@code REMAP} for one that has an address of
 *     its own behind an IOMMU
 * @param count how many mappings share this record (PASS only), else 1
 * @param ageMs milliseconds since it was mapped, to the core's tick
 */
public record MappingInfo(
    String device,
    String busAddress,
    String address,
    long sizeBytes,
    DmaDirection direction,
    String strategy,
    @Nullable ExtentKind extents,
    int generation,
    String placement,
    int count,
    long ageMs) {}
