package io.carom.shell.result;

import io.carom.dma.ExtentKind;
import io.carom.guest.FioResult;
import io.carom.shell.json.Failing;
import org.jspecify.annotations.Nullable;

/**
 * What a workload measured.
 *
 * @param device disk
 * @param strategy DMA strategy, or null for none
 * @param extents kind of its bounce memory, or null
 * @param rw workload
 * @param bsBytes block size
 * @param iodepth depth per job
 * @param numjobs jobs
 * @param runtimeMs time it ran
 * @param iops requests per second
 * @param mibPerSecond MiB per second
 * @param p50Us median completion latency
 * @param p90Us 90th percentile
 * @param p99Us 99th percentile
 * @param p999Us 99.9th percentile
 * @param maxUs slowest
 * @param verify whether it verified
 * @param verifiedBytes bytes read and found right
 * @param corruptBlocks wrong blocks
 * @param lostRequests lost requests
 * @param requeues requeued requests
 * @param requests completed requests
 * @param maxPauseMs longest gap between two completions
 * @param firstCorruption what was wrong with the first corrupt block, or null
 * @param seed seed of the run
 * @param reachableBuffers I/O buffers that the device reached without a copy
 * @param fallbackBuffers I/O buffers in ordinary pages for want of such room
 */
public record FioReport(
    String device,
    @Nullable String strategy,
    @Nullable ExtentKind extents,
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
    boolean verify,
    long verifiedBytes,
    long corruptBlocks,
    long lostRequests,
    long requeues,
    long requests,
    double maxPauseMs,
    @Nullable String firstCorruption,
    long seed,
    long reachableBuffers,
    long fallbackBuffers)
    implements Failing {

  /** Of a result. */
  public static FioReport of(
      final FioResult result, final @Nullable ExtentKind extents, final boolean verify) {
    return new FioReport(
        result.device(),
        result.strategy(),
        extents,
        result.rw(),
        result.bsBytes(),
        result.iodepth(),
        result.numjobs(),
        result.runtimeMs(),
        result.iops(),
        result.mibPerSecond(),
        result.p50Us(),
        result.p90Us(),
        result.p99Us(),
        result.p999Us(),
        result.maxUs(),
        verify,
        result.verifiedBytes(),
        result.corruptBlocks(),
        result.lostRequests(),
        result.requeues(),
        result.requests(),
        result.maxPauseMs(),
        result.firstCorruption(),
        result.seed(),
        result.reachableBuffers(),
        result.fallbackBuffers());
  }

  @Override
  public boolean failed() {
    return corruptBlocks > 0 || lostRequests > 0;
  }
}
