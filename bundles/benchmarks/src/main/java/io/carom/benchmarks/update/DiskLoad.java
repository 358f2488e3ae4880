package io.carom.benchmarks.update;

import io.carom.guest.FioJob;
import io.carom.guest.FioResult;

/** Random reads and writes of identified blocks. */
final class DiskLoad implements DeviceLoad {
  private static final long AREA_BYTES = 8L << 20;
  private static final int DEPTH = 16;

  private final Container container;
  private final String disk;
  private long seed;

  DiskLoad(final Container container, final String disk, final long seed) {
    this.container = container;
    this.disk = disk;
    this.seed = seed;
  }

  @Override
  public String device() {
    return disk;
  }

  @Override
  public LoadResult run(final long millis) throws InterruptedException {
    seed++;
    final FioJob job =
        FioJob.of(disk, "randrw")
            .withDepth(DEPTH, 1)
            .withArea(0, AREA_BYTES)
            .forMillis(millis)
            .withSeed(seed);
    try {
      final FioResult result = container.fio().run(job, line -> {});
      return new LoadResult(
          result.verifiedBytes(),
          result.corruptBlocks(),
          result.lostRequests(),
          result.maxPauseMs(),
          result.firstCorruption());
    } catch (final RuntimeException e) {
      return LoadResult.failed(e);
    }
  }
}
