package io.carom.bench;

import io.carom.dma.ExtentKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the benchmark of virtqueues and block devices measured; the keys of the command line's JSON.
 * A figure is the median of the rounds; one that was not measured is null. Times are nanoseconds,
 * unless a key ends otherwise.
 *
 * @param ring rings by themselves
 * @param blk block devices
 * @param nsHotCopy a copy of 4 KiB between two places that never change, in the rounds of {@code
 *     blk}
 * @param heapBytesPerRequest bytes allocated on the heap for a request by the guest's and the
 *     device's threads, in the steady state: the most of {@code blk}
 * @param rounds rounds of each figure, at least; those of {@code blk} are three times as many
 * @param jdk version of the JVMs that measured
 * @param cpus processors
 * @param seed seed of what is random
 */
public record VirtioReport(
    List<Ring> ring,
    List<Blk> blk,
    @Nullable Double nsHotCopy,
    @Nullable Double heapBytesPerRequest,
    int rounds,
    String jdk,
    int cpus,
    long seed) {

  /**
   * Chains made available, popped, used and reaped. With one thread both sides take turns; with two
   * each polls, and the driver keeps up to the whole ring in flight.
   *
   * @param layout {@code split} or {@code packed}
   * @param chain buffers of a chain
   * @param indirect whether the ring has indirect descriptors
   * @param batch chains that are published together, on either side
   * @param threads threads
   * @param nsPerChain time for a chain, both sides together
   * @param min least of the rounds
   * @param max greatest of the rounds
   * @param chainsPerSecond chains in a second
   * @param heapBytesPerChain bytes allocated on the heap, both sides
   */
  public record Ring(
      String layout,
      int chain,
      boolean indirect,
      int batch,
      int threads,
      double nsPerChain,
      double min,
      double max,
      double chainsPerSecond,
      @Nullable Double heapBytesPerChain) {}

  /**
   * Random reads through the guest's block layer, its driver, the PCI transport and the device's
   * worker thread.
   *
   * @param strategy strategy
   * @param extents kind of its bounce memory, or null
   * @param backend always {@code memory}
   * @param verify always false: bytes are compared before and after the rounds only
   * @param rw always {@code randread}
   * @param bsBytes block size
   * @param iodepth requests in flight
   * @param iops requests a second
   * @param min least of the rounds
   * @param max greatest of the rounds
   * @param p99Us 99th percentile of the time from submission to completion, of all rounds
   * @param addedNsPerRequest what a request takes longer than with {@code direct} in the same
   *     round; null for that itself
   * @param ratio IOPS over those of {@code direct} in the same round; null for that itself
   * @param heapBytesPerRequest bytes allocated on the heap by the guest's and the device's threads
   */
  public record Blk(
      String strategy,
      @Nullable ExtentKind extents,
      String backend,
      boolean verify,
      String rw,
      long bsBytes,
      int iodepth,
      double iops,
      double min,
      double max,
      double p99Us,
      @Nullable Double addedNsPerRequest,
      @Nullable Double ratio,
      @Nullable Double heapBytesPerRequest) {}
}
