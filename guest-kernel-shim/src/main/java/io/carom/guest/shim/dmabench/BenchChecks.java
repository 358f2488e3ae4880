package io.carom.guest.shim.dmabench;

import io.carom.dma.ExtentKind;
import io.carom.guest.DmaBenchJob;
import io.carom.memory.PhysicalLayout;
import java.util.Objects;

/** Refuses jobs that cannot be, as the kernel's side of the benchmark does with EINVAL. */
final class BenchChecks {
  /** The only NUMA node. */
  private static final int NODE = 0;

  private static final int MOST_FILL = 99;

  private BenchChecks() {}

  /**
   * Checks a job.
   *
   * @throws IllegalArgumentException with one line that names value and limits
   */
  static void check(final DmaBenchJob job) {
    within("threads", job.threads(), 1, DmaBenchJob.MOST_THREADS);
    within("milliseconds", job.runtimeMs(), 1, DmaBenchJob.MOST_SECONDS * 1000L);
    within("transmit delay", job.delayNs(), 0, DmaBenchJob.MOST_DELAY_NS);
    require(
        job.node() == -1 || job.node() == NODE,
        "invalid numa node " + job.node() + ", must be -1 or 0: the guest has one node");
    within("dma mask bit", job.bits(), DmaBenchJob.FEWEST_BITS, DmaBenchJob.MOST_BITS);
    within("granule size", job.granule(), 1, DmaBenchJob.MOST_GRANULE);
    within("fill", job.fillPercent(), 0, MOST_FILL);
    require(
        job.extents() == null || job.strategy() != null,
        "extents=" + job.extents() + " without a strategy: name one");
    if (wantsRegion(job)) {
      checkRegion(job.regionBytes());
    }
    Objects.requireNonNull(job.direction());
    Objects.requireNonNull(job.mode());
  }

  /** Whether the device needs a region of its own. */
  static boolean wantsRegion(final DmaBenchJob job) {
    return job.extents() == ExtentKind.DEVICE || BenchRegion.ALIAS.equals(job.strategy());
  }

  private static void checkRegion(final long bytes) {
    require(
        bytes > 0 && bytes % BenchRegion.GRANULE == 0 && bytes <= BenchRegion.MOST_BYTES,
        "invalid region of "
            + bytes
            + " bytes, must be a multiple of "
            + BenchRegion.GRANULE
            + " (256 KiB) of at most "
            + BenchRegion.MOST_BYTES);
  }

  private static void within(
      final String what, final long value, final long least, final long most) {
    require(
        value >= least && value <= most,
        "invalid " + what + " " + value + ", must be in " + least + "-" + most);
  }

  private static void require(final boolean right, final String message) {
    if (!right) {
      throw new IllegalArgumentException("ioctl: Invalid argument: " + message);
    }
  }

  /** Highest address of a device with a mask of so many bits. */
  static long mask(final int bits) {
    return bits == Long.SIZE ? -1L : (1L << bits) - 1;
  }

  /** Bytes of the buffers of one thread. */
  static long bufferBytes(final DmaBenchJob job) {
    return (long) job.granule() * PhysicalLayout.PAGE_SIZE; // at most 4 MiB
  }
}
