package io.carom.shell.demo;

import io.carom.dma.ExtentKind;
import io.carom.shell.json.Failing;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the demo found.
 *
 * @param disk the comparison of the whole disks with their files
 * @param runs one row for each device, strategy and workload
 * @param swiotlbDeviceRatio IOPS of {@code swiotlb-device} as a part of {@code direct}'s, or null
 * @param swaps the swap phase
 * @param restart the restart of the strategies' bundle within it
 * @param problems why it failed, one line each
 * @param rounds rounds of which the pair in memory is the median
 * @param jdk the Java that ran it
 * @param cpus processors
 * @param seed seed of contents and offsets
 * @param ok whether every byte was right, no request lost and no access out of bounds
 */
public record DemoReport(
    Disk disk,
    List<Run> runs,
    @Nullable Double swiotlbDeviceRatio,
    Swaps swaps,
    Restart restart,
    List<String> problems,
    int rounds,
    String jdk,
    int cpus,
    long seed,
    boolean ok)
    implements Failing {

  /**
   * Whole disks. With images of different content the sums are those of the hint device, or of the
   * first device whose sums differ.
   *
   * @param bytes bytes of a disk
   * @param sha256Host of the file
   * @param sha256Guest of what the guest read
   * @param devices each device
   */
  public record Disk(long bytes, String sha256Host, String sha256Guest, List<DeviceSum> devices) {}

  /**
   * A device's comparison.
   *
   * @param device disk name
   * @param policy SWIOTLB policy
   * @param bytes bytes
   * @param sha256Host of the file
   * @param sha256Guest of what the guest read
   */
  public record DeviceSum(
      String device, SwiotlbPolicy policy, long bytes, String sha256Host, String sha256Guest) {
    boolean equal() {
      return sha256Host.equals(sha256Guest);
    }
  }

  /**
   * A workload on a strategy.
   *
   * @param device disk name
   * @param policy SWIOTLB policy
   * @param strategy strategy
   * @param extents kind of its bounce memory, or null
   * @param backend {@code file} or {@code memory}
   * @param verify whether every block was checked
   * @param rw workload
   * @param bsBytes block size
   * @param iodepth depth
   * @param iops requests per second
   * @param mibPerSecond MiB per second
   * @param p50Us median latency
   * @param p99Us 99th percentile
   * @param verifiedBytes bytes found right
   * @param corruptBlocks wrong blocks
   * @param lostRequests lost requests
   * @param failedMaps failed maps
   * @param systemMemoryAccesses accesses of the device to guest RAM
   * @param ownRegionAccesses accesses of the device to its region
   * @param firstCorruption what was wrong first, or null
   */
  public record Run(
      String device,
      SwiotlbPolicy policy,
      String strategy,
      @Nullable ExtentKind extents,
      String backend,
      boolean verify,
      String rw,
      int bsBytes,
      int iodepth,
      double iops,
      double mibPerSecond,
      double p50Us,
      double p99Us,
      long verifiedBytes,
      long corruptBlocks,
      long lostRequests,
      long failedMaps,
      long systemMemoryAccesses,
      long ownRegionAccesses,
      @Nullable String firstCorruption) {}

  /**
   * The swap phase.
   *
   * @param count finished swaps
   * @param refused swaps that the core refused, as while the bundle was away
   * @param failedMaps failed maps
   * @param verifiedBytes bytes found right meanwhile
   * @param corruptBlocks wrong blocks
   * @param lostRequests lost requests
   * @param maxGraceUs longest grace
   * @param maxDrainMs longest drain
   */
  public record Swaps(
      long count,
      long refused,
      long failedMaps,
      long verifiedBytes,
      long corruptBlocks,
      long lostRequests,
      double maxGraceUs,
      double maxDrainMs) {}

  /**
   * The restart, with the load that ran across it.
   *
   * @param pauseMs longest gap between two completions
   * @param absentMs how long the bundle was away
   * @param noStrategyMaps maps that found no strategy
   * @param corruptBlocks wrong blocks
   * @param lostRequests lost requests
   */
  public record Restart(
      double pauseMs,
      double absentMs,
      long noStrategyMaps,
      long corruptBlocks,
      long lostRequests) {}

  @Override
  public boolean failed() {
    return !ok;
  }
}
