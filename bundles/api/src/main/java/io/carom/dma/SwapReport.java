package io.carom.dma;

import org.jspecify.annotations.Nullable;

/**
 * A finished swap. Phases as in the design: publish, grace, drain.
 *
 * @param device device name
 * @param from strategy before, or null for none
 * @param fromExtents kind of bounce memory before, or null
 * @param to strategy after, or null for none
 * @param extents kind of bounce memory after, or null
 * @param fromGeneration generation number before
 * @param toGeneration generation number after
 * @param outcome {@code DRAINED}, {@code ADOPTED}, {@code QUARANTINED}, {@code REVOKED}, or {@code
 *     CANCELLED}: then {@code to} drained, and {@code from} is in use
 * @param publishUs from the decision until new maps went to the new strategy, microseconds
 * @param graceUs how long map calls inside the old strategy were waited for, microseconds
 * @param drainMs from publish until the old mappings were gone or the deadline, milliseconds
 * @param liveAtPublish old mappings when the new strategy took over
 * @param liveAtEnd old mappings left at the end, 0 when drained
 * @param movedExtents extents handed to the new strategy
 * @param borrowedMaps maps that the new strategy served from the old one's extents
 * @param failedMaps maps of the device that failed during the swap
 * @param cause {@code requested}, {@code configured}, {@code service gone}, {@code service came},
 *     {@code misbehaved}, or {@code cancelled}
 * @param atMs when it was decided, milliseconds since 1970
 * @param readyUs from the decision until the new strategy was ready and had its first extents,
 *     microseconds; part of {@code publishUs}
 * @param revokedMappings mappings that the core ended by revoking
 * @param note what a deadline that passed, or a strategy that misbehaved, made the core do; or null
 */
public record SwapReport(
    String device,
    @Nullable String from,
    @Nullable ExtentKind fromExtents,
    @Nullable String to,
    @Nullable ExtentKind extents,
    int fromGeneration,
    int toGeneration,
    String outcome,
    double publishUs,
    double graceUs,
    double drainMs,
    long liveAtPublish,
    long liveAtEnd,
    long movedExtents,
    long borrowedMaps,
    long failedMaps,
    String cause,
    long atMs,
    double readyUs,
    long revokedMappings,
    @Nullable String note) {}
