package io.carom.bench;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the benchmark of the bounce-buffer strategies measured; the keys of the command line's JSON.
 * A figure is the median of the rounds; one that was not measured is null. Times are nanoseconds.
 *
 * @param rows a map and its unmap
 * @param scaling from one thread to two
 * @param failing maps that fail
 * @param lookup what it costs to find a mapping
 * @param againstFixed strategies against {@code swiotlb-fixed}, in pairs
 * @param heapBytesPerOp bytes allocated on the heap for a map and its unmap: the most of {@code
 *     swiotlb-fixed} and {@code swiotlb-magazine}
 * @param rounds rounds of each figure
 * @param jdk version of the JVMs that measured
 * @param cpus processors
 * @param seed seed of what is random
 */
public record SwiotlbReport(
    List<Row> rows,
    List<Scaling> scaling,
    List<Failing> failing,
    List<Lookup> lookup,
    List<AgainstFixed> againstFixed,
    @Nullable Double heapBytesPerOp,
    int rounds,
    String jdk,
    int cpus,
    long seed) {

  /**
   * A map and its unmap, one mapping in flight for each thread, always of the same buffer.
   *
   * @param strategy strategy
   * @param extents kind of its bounce memory
   * @param sizeBytes bytes of the mapping
   * @param direction direction
   * @param copy whether bytes are moved; without, a core is measured whose copier does nothing
   * @param threads threads that map at once
   * @param fillPercent share of the pool that other mappings hold, of random sizes
   * @param poolBytes bounce memory that the pool had at the end
   * @param nsPerOp time of one thread for one map and its unmap; null when every map failed
   * @param min least of the rounds
   * @param max greatest of the rounds
   * @param opsPerSecond maps and unmaps of all threads together
   * @param failures maps that failed during the rounds
   * @param nsHotCopy one copy of so many bytes between two places that never change, with as many
   *     threads; null without copies
   * @param nsSameAddressCopy the copies of one mapping, replayed over the addresses that the
   *     strategy had just handed out, with as many threads; null without copies
   */
  public record Row(
      String strategy,
      ExtentKind extents,
      long sizeBytes,
      DmaDirection direction,
      boolean copy,
      int threads,
      int fillPercent,
      long poolBytes,
      @Nullable Double nsPerOp,
      @Nullable Double min,
      @Nullable Double max,
      @Nullable Double opsPerSecond,
      long failures,
      @Nullable Double nsHotCopy,
      @Nullable Double nsSameAddressCopy) {}

  /**
   * Throughput of two threads over that of one; 2 is twice as much.
   *
   * @param strategy strategy
   * @param sizeBytes bytes of the mappings
   * @param copy whether bytes are moved
   * @param ratio of maps and unmaps
   * @param controlRatio of the same copies without a strategy, or of plain arithmetic without
   *     copies, in the same rounds
   */
  public record Scaling(
      String strategy, long sizeBytes, boolean copy, double ratio, double controlRatio) {}

  /**
   * A map that fails because a pool is nine tenths full.
   *
   * @param strategy strategy
   * @param poolBytes bounce memory of the pool
   * @param sizeBytes bytes that no free run could take
   * @param nsPerFailure time of one failing map
   */
  public record Failing(String strategy, long poolBytes, long sizeBytes, double nsPerFailure) {}

  /**
   * An unmap and a map while many mappings live.
   *
   * @param core how the core finds records: {@code direct}, {@code mru} or {@code tree}
   * @param live mappings that live
   * @param hotNs of the same mapping, again and again
   * @param randomNs of a random one each time
   */
  public record Lookup(String core, long live, @Nullable Double hotNs, @Nullable Double randomNs) {}

  /**
   * Throughput of a strategy over that of {@code swiotlb-fixed}, in pairs of rounds in one JVM.
   *
   * @param strategy strategy
   * @param case_ what both did; in JSON without the underscore, which Java needs
   * @param ratio median of the pairs
   * @param ratioLow lower end of its 95 % interval
   * @param ratioHigh upper end
   */
  public record AgainstFixed(
      String strategy, String case_, double ratio, double ratioLow, double ratioHigh) {}
}
