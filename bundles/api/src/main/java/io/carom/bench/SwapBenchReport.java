package io.carom.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the benchmark of hot swaps measured; the keys of the command line's JSON. A figure that was
 * not measured is null.
 *
 * @param cells swaps of strategies under maps and unmaps
 * @param updates updates of bundles under I/O on three devices
 * @param swappableNsPerOp what a map and its unmap cost more through the core, which can swap, than
 *     by calling the same strategy directly, by one thread, with the same records and no lock;
 *     nanoseconds, without the copies
 * @param total sums of all cells and updates
 * @param rounds rounds of each figure of a cell, at least
 * @param jdk version of the JVMs that measured
 * @param cpus processors
 * @param seed seed of what is random
 */
public record SwapBenchReport(
    List<Cell> cells,
    List<Update> updates,
    @Nullable Double swappableNsPerOp,
    Total total,
    int rounds,
    String jdk,
    int cpus,
    long seed) {

  /**
   * Median, 99th percentile and greatest of something.
   *
   * @param p50 median
   * @param p99 99th percentile
   * @param max greatest
   */
  public record Spread(double p50, double p99, double max) {}

  /**
   * Threads that map, use and unmap pages on a device that may use its own region only, while its
   * strategy is swapped: at the later of 10 ms and the end of the swap before.
   *
   * @param workers threads
   * @param occupancyPercent share of the pool that they hold
   * @param capacityPeaks the pool over the most that they hold: maps must not fail from 2 on
   * @param swapEveryMs time from one swap to the next, mean
   * @param swaps swaps
   * @param verifiedBytes bytes that were mapped, and compared on both sides
   * @param corruptBlocks mappings with a wrong byte
   * @param lostRequests mappings that were not to be had within a second, or not to be ended
   * @param failedMaps maps that failed; each was tried again
   * @param heldMs how long mappings lived, milliseconds
   * @param stallUs for each swap, how long the longest map call until the next one took beyond the
   *     99th percentile of the run without swaps; microseconds
   * @param controlStallUs the same without swaps, for stretches of time of 10 ms
   * @param graceUs grace of the swaps
   * @param drainMs drain of the swaps
   * @param controlMapMaxUs the slowest map call of the same workload without swaps
   * @param throughputRatio maps in a second over those without swaps, median of the rounds
   * @param throughputRatioMin least of the rounds
   * @param throughputRatioMax greatest of the rounds
   */
  public record Cell(
      int workers,
      int occupancyPercent,
      double capacityPeaks,
      double swapEveryMs,
      long swaps,
      long verifiedBytes,
      long corruptBlocks,
      long lostRequests,
      long failedMaps,
      @Nullable Spread heldMs,
      @Nullable Spread stallUs,
      @Nullable Spread controlStallUs,
      @Nullable Spread graceUs,
      @Nullable Spread drainMs,
      double controlMapMaxUs,
      double throughputRatio,
      double throughputRatioMin,
      double throughputRatioMax) {}

  /**
   * A bundle that is updated every second, and its old wiring refreshed, under verified load on a
   * block device, a network device and a source of entropy.
   *
   * @param bundle symbolic name
   * @param count updates
   * @param verifiedBytes bytes that were compared
   * @param corruptBlocks blocks, frames or packets with a wrong byte
   * @param lostRequests requests without a good completion
   * @param noStrategyMaps maps that found no strategy
   * @param updateMs how long an update and its refresh took
   * @param pauseMs for each update, the longest time in which a device that had requests
   *     outstanding completed none
   * @param controlPauseMs the same for stretches of a second without an update
   */
  public record Update(
      String bundle,
      int count,
      long verifiedBytes,
      long corruptBlocks,
      long lostRequests,
      long noStrategyMaps,
      @Nullable Spread updateMs,
      @Nullable Spread pauseMs,
      @Nullable Spread controlPauseMs) {}

  /**
   * Sums.
   *
   * @param swaps swaps of strategies
   * @param updates updates of bundles
   * @param verifiedBytes bytes that were compared
   * @param corruptBlocks corrupt ones
   * @param lostRequests lost ones
   */
  public record Total(
      long swaps, long updates, long verifiedBytes, long corruptBlocks, long lostRequests) {}
}
