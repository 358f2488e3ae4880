package io.carom.virtio;

import org.jspecify.annotations.Nullable;

/**
 * A device's SWIOTLB region as the host sees it.
 *
 * @param location {@code bar}, {@code ram}, or {@code function 0} for one that another function has
 * @param addressing {@code bus} or {@code offset}: what addresses on the wire are now
 * @param bit number of the feature bit, -1 when none is offered
 * @param feature {@code SWIOTLB}, {@code DMB}, or {@code none} when the driver accepted neither
 * @param group the name under which functions share it, or null
 * @param mixing {@code free} or {@code all-or-nothing}
 * @param scrubOnReset whether it is zeroed on reset
 * @param scrubs how often it was
 * @param withoutBusMaster whether it is reached while bus mastering is off
 * @param caching {@code writeback}, {@code write-combining} or {@code uncached}
 * @param linesRead lines that the guest's CPUs loaded past their caches
 * @param linesWritten lines that they stored
 * @param flushes how often they waited for their stores
 * @param unprotectedPages pages of a confidential guest that are shared with devices now because
 *     this device works without the feature; 0 while it was accepted
 */
public record RegionInfo(
    String location,
    String addressing,
    int bit,
    String feature,
    @Nullable String group,
    String mixing,
    boolean scrubOnReset,
    long scrubs,
    boolean withoutBusMaster,
    String caching,
    long linesRead,
    long linesWritten,
    long flushes,
    long unprotectedPages) {}
