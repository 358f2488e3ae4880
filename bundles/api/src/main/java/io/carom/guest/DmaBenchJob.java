package io.carom.guest;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * A run of the DMA benchmark, in the words of the kernel's {@code struct map_benchmark}, and what
 * this project adds.
 *
 * @param threads 1..1024
 * @param runtimeMs milliseconds that are measured, 1..300,000
 * @param node NUMA node: -1 for any, or 0, the only one
 * @param bits width of the device's DMA mask, 20..64
 * @param direction direction of each mapping
 * @param delayNs pretended time of the transfer between map and unmap, 0..10,000,000
 * @param granule pages of a mapping, or entries of a list, 1..1024
 * @param mode one buffer or a list
 * @param percentiles whether nanoseconds and percentiles are wanted as well
 * @param strategy DMA strategy, or null for what the device gets by itself
 * @param extents with a strategy: kind of its bounce memory, or null for its default
 * @param regionBytes size of the device's own region, for device extents; a multiple of 256 KiB
 * @param fillPercent how much of the pool is held by mappings of random sizes meanwhile: 0..99
 * @param seed seed of these
 */
public record DmaBenchJob(
    int threads,
    long runtimeMs,
    int node,
    int bits,
    DmaDirection direction,
    int delayNs,
    int granule,
    DmaBenchMode mode,
    boolean percentiles,
    @Nullable String strategy,
    @Nullable ExtentKind extents,
    long regionBytes,
    int fillPercent,
    long seed) {
  /** Most threads. */
  public static final int MOST_THREADS = 1024;

  /** Most seconds. */
  public static final int MOST_SECONDS = 300;

  /** Fewest bits of a DMA mask. */
  public static final int FEWEST_BITS = 20;

  /** Most bits of a DMA mask. */
  public static final int MOST_BITS = 64;

  /** Longest transfer, nanoseconds. */
  public static final int MOST_DELAY_NS = 10_000_000;

  /** Most pages or entries. */
  public static final int MOST_GRANULE = 1024;

  /** Default size of the device's own region. */
  public static final long REGION_BYTES = 64L << 20;

  /** The kernel tool's defaults, for a run of so many milliseconds. */
  public static DmaBenchJob defaults(final long runtimeMs) {
    return new DmaBenchJob(
        1,
        runtimeMs,
        -1,
        32,
        DmaDirection.BIDIRECTIONAL,
        0,
        1,
        DmaBenchMode.SINGLE_MODE,
        false,
        null,
        null,
        REGION_BYTES,
        0,
        1);
  }

  /** This job on a strategy. */
  public DmaBenchJob on(final String name, final @Nullable ExtentKind kind) {
    return new DmaBenchJob(
        threads,
        runtimeMs,
        node,
        bits,
        direction,
        delayNs,
        granule,
        mode,
        percentiles,
        name,
        kind,
        regionBytes,
        fillPercent,
        seed);
  }

  /** This job with other mappings. */
  public DmaBenchJob mapping(final DmaBenchMode how, final int pages, final DmaDirection whereTo) {
    return new DmaBenchJob(
        threads,
        runtimeMs,
        node,
        bits,
        whereTo,
        delayNs,
        pages,
        how,
        percentiles,
        strategy,
        extents,
        regionBytes,
        fillPercent,
        seed);
  }
}
