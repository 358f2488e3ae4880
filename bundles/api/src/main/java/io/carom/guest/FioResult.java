package io.carom.guest;

import org.jspecify.annotations.Nullable;

/**
 * What a workload measured; the keys of the command line's JSON.
 *
 * @param device disk
 * @param strategy DMA strategy in use when it ended, or null
 * @param rw workload
 * @param bsBytes block size
 * @param iodepth depth per job
 * @param numjobs jobs
 * @param runtimeMs time it ran
 * @param iops requests per second
 * @param mibPerSecond MiB per second
 * @param p50Us median completion latency, microseconds
 * @param p90Us 90th percentile
 * @param p99Us 99th percentile
 * @param p999Us 99.9th percentile
 * @param maxUs slowest
 * @param verifiedBytes bytes read and found right
 * @param corruptBlocks blocks whose content was not what was last acknowledged, or that name
 *     another block
 * @param lostRequests requests without completion by their deadline, or that failed
 * @param requeues times the block layer requeued a request for want of a mapping
 * @param requests completed requests
 * @param maxPauseMs longest gap between two completions while requests were outstanding
 * @param firstCorruption what was wrong with the first corrupt block, or null
 * @param seed seed of the run
 * @param reachableBuffers I/O buffers of the workload that the device reached without a copy
 * @param fallbackBuffers I/O buffers of the workload in ordinary pages
 */
public record FioResult(
    String device,
    @Nullable String strategy,
    String rw,
    int bsBytes,
    int iodepth,
    int numjobs,
    long runtimeMs,
    double iops,
    double mibPerSecond,
    double p50Us,
    double p90Us,
    double p99Us,
    double p999Us,
    double maxUs,
    long verifiedBytes,
    long corruptBlocks,
    long lostRequests,
    long requeues,
    long requests,
    double maxPauseMs,
    @Nullable String firstCorruption,
    long seed,
    long reachableBuffers,
    long fallbackBuffers) {}
