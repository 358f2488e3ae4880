package io.carom.bench;

import io.carom.iommu.CostProfile;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the benchmark of the IOMMU strategies measured; the keys of the command line's JSON. One
 * that was not measured is null.
 *
 * @param profile name of the cost profile
 * @param virtual whether times are modelled on a virtual clock
 * @param costs the profile's figures
 * @param rows workloads
 * @param hit a warm hit of the pool, in real time without a profile and without copies
 * @param lookup what it costs to find a mapping
 * @param idlePages pages that an idle domain holds after two ticks of the pool's eviction
 * @param breakEvenBytes block sizes from which the pool is faster
 * @param published what the series published, beside ours; empty unless the profile is {@code
 *     series}
 * @param rounds rounds of which each figure is the median; 1 on a virtual clock, which repeats
 * @param jdk version of the JVM that measured
 * @param cpus processors
 * @param seed seed of what is random
 */
public record IommuReport(
    String profile,
    boolean virtual,
    CostProfile costs,
    List<Row> rows,
    List<Hit> hit,
    List<Lookup> lookup,
    @Nullable Long idlePages,
    List<BreakEven> breakEvenBytes,
    List<Published> published,
    int rounds,
    String jdk,
    int cpus,
    long seed) {

  /**
   * One workload, 64 requests in flight, one job. Counts are per I/O.
   *
   * @param strategy strategy
   * @param variant {@code unbatched} or {@code batched}, {@code striped} or {@code single}, the
   *     zeroing policy of a pool; else null
   * @param rw {@code read} or {@code write}
   * @param bsBytes block size
   * @param iodepth requests in flight
   * @param iops requests a second
   * @param mibPerSecond throughput
   * @param mapNsPerIo time in map
   * @param unmapNsPerIo time in unmap
   * @param mapRequestsPerIo MAP requests
   * @param unmapRequestsPerIo UNMAP requests
   * @param kicksPerIo doorbell writes to the IOMMU
   * @param flushesPerIo waits for the IOMMU's queue
   * @param bytesCopiedPerIo bytes copied
   * @param cpuNsPerIo time of the guest's CPU
   * @param poolBytes bounce memory held at the end
   * @param openWindowUs longest time for which an unmapped buffer could still be reached; from a
   *     pass on a virtual clock
   * @param pinnedPages most pages mapped at once
   */
  public record Row(
      String strategy,
      @Nullable String variant,
      String rw,
      long bsBytes,
      int iodepth,
      double iops,
      double mibPerSecond,
      double mapNsPerIo,
      double unmapNsPerIo,
      double mapRequestsPerIo,
      double unmapRequestsPerIo,
      double kicksPerIo,
      double flushesPerIo,
      double bytesCopiedPerIo,
      double cpuNsPerIo,
      long poolBytes,
      @Nullable Double openWindowUs,
      long pinnedPages) {
    /** The same row with the window that was open. */
    public Row withOpenWindowUs(final @Nullable Double us) {
      return new Row(
          strategy,
          variant,
          rw,
          bsBytes,
          iodepth,
          iops,
          mibPerSecond,
          mapNsPerIo,
          unmapNsPerIo,
          mapRequestsPerIo,
          unmapRequestsPerIo,
          kicksPerIo,
          flushesPerIo,
          bytesCopiedPerIo,
          cpuNsPerIo,
          poolBytes,
          us,
          pinnedPages);
    }
  }

  /**
   * A map and its unmap that hit the pool.
   *
   * @param threads threads
   * @param copy always false
   * @param nsPerOp median
   * @param min least of the rounds
   * @param max greatest of the rounds
   * @param ratio throughput over that of one thread
   * @param controlRatio the same of plain arithmetic, in the same rounds
   */
  public record Hit(
      int threads,
      boolean copy,
      double nsPerOp,
      double min,
      double max,
      @Nullable Double ratio,
      @Nullable Double controlRatio) {}

  /**
   * An unmap and a map while many mappings live.
   *
   * @param live mappings that live
   * @param hotNs of the same mapping, again and again
   * @param randomNs of a random one each time
   */
  public record Lookup(long live, @Nullable Double hotNs, @Nullable Double randomNs) {}

  /**
   * The smallest block size from which the pool's throughput is at least the other's, for every
   * size above too.
   *
   * @param against strategy
   * @param variant its variant, or null
   * @param rw {@code read} or {@code write}
   * @param bytes block size; null when the pool is never ahead
   */
  public record BreakEven(
      String against, @Nullable String variant, String rw, @Nullable Long bytes) {}

  /**
   * What was published, and what the calibrated model gives.
   *
   * @param bsBytes block size
   * @param publishedRatio throughput with the pool over that without
   * @param ratio the same here, calibrated
   * @param publishedUnmapPercent change of the time in unmap
   * @param unmapPercent the same here, calibrated
   */
  public record Published(
      long bsBytes,
      double publishedRatio,
      double ratio,
      double publishedUnmapPercent,
      double unmapPercent) {}
}
