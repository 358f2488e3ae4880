package io.carom.guest;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * What a run of the DMA benchmark measured; the keys of the command line's JSON. Averages and
 * deviations come from latencies in whole units of 100 ns, as the kernel's. The figures in
 * nanoseconds are null unless percentiles were wanted; they contain one reading of the clock, whose
 * cost is {@code clockNs}.
 *
 * @param threads threads
 * @param seconds how long it measured, as asked for
 * @param node NUMA node
 * @param bits width of the DMA mask
 * @param direction direction
 * @param delayNs pretended time of the transfer
 * @param granule pages or entries
 * @param mode one buffer or a list
 * @param mapAvgUs average latency of a map, microseconds
 * @param mapStddevUs its standard deviation
 * @param unmapAvgUs average latency of an unmap
 * @param unmapStddevUs its standard deviation
 * @param strategy DMA strategy, or null for none
 * @param extents kind of its bounce memory, or null
 * @param fillPercent how much of the pool was held meanwhile
 * @param loops maps that were measured, and as many unmaps
 * @param failures maps that failed: 0, since a failed map ends the run; the core's count
 * @param mapAvgNs average latency of a map, nanoseconds
 * @param mapP50Ns median
 * @param mapP90Ns 90th percentile
 * @param mapP99Ns 99th percentile
 * @param mapP999Ns 99.9th percentile
 * @param mapMaxNs slowest
 * @param unmapAvgNs average latency of an unmap, nanoseconds
 * @param unmapP50Ns median
 * @param unmapP90Ns 90th percentile
 * @param unmapP99Ns 99th percentile
 * @param unmapP999Ns 99.9th percentile
 * @param unmapMaxNs slowest
 * @param clockNs what two readings of the clock in a row differ by, median
 */
public record DmaBenchResult(
    int threads,
    double seconds,
    int node,
    int bits,
    DmaDirection direction,
    int delayNs,
    int granule,
    DmaBenchMode mode,
    double mapAvgUs,
    double mapStddevUs,
    double unmapAvgUs,
    double unmapStddevUs,
    @Nullable String strategy,
    @Nullable ExtentKind extents,
    int fillPercent,
    long loops,
    long failures,
    @Nullable Double mapAvgNs,
    @Nullable Long mapP50Ns,
    @Nullable Long mapP90Ns,
    @Nullable Long mapP99Ns,
    @Nullable Long mapP999Ns,
    @Nullable Long mapMaxNs,
    @Nullable Double unmapAvgNs,
    @Nullable Long unmapP50Ns,
    @Nullable Long unmapP90Ns,
    @Nullable Long unmapP99Ns,
    @Nullable Long unmapP999Ns,
    @Nullable Long unmapMaxNs,
    @Nullable Long clockNs) {}
