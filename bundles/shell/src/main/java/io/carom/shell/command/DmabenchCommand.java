package io.carom.shell.command;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import io.carom.shell.service.ShellServices;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Options, limits, the order in which they are checked, and what is said then, are those of the
 * kernel's tool {@code dma_map_benchmark}.
 */
@Command(
    name = "carom:dmabench",
    description = "Measure maps and unmaps of a pseudo device, as the kernel's dma_map_benchmark.",
    footer = {
      "",
      "The first second, or half of a shorter run, warms up and is not measured. Average and",
      "standard deviation are made of whole units of 100 ns, as the kernel's; --ns shows more.",
      "",
      "Examples:",
      "  dmabench -t 2 -s 5 -d 1 --strategy swiotlb-fixed",
      "  dmabench -s 5 -g 16 --strategy swiotlb-fixed --extents device --fill 90 --ns"
    })
final class DmabenchCommand extends ShellCommand {
  @Option(names = "-t", paramLabel = "N", description = "Threads, 1-1024; 1 by default.")
  int threads = 1;

  @Option(names = "-s", paramLabel = "SECONDS", description = "Time, 1-300; 20 by default.")
  int seconds = 20;

  @Option(names = "-n", paramLabel = "NODE", description = "NUMA node; -1, any, by default.")
  int node = -1;

  @Option(names = "-b", paramLabel = "BITS", description = "DMA mask, 20-64; 32 by default.")
  int bits = 32;

  @Option(
      names = "-d",
      paramLabel = "N",
      description = "Direction: 0 BIDIRECTIONAL (default), 1 TO_DEVICE, 2 FROM_DEVICE.")
  int direction;

  @Option(
      names = "-x",
      paramLabel = "NS",
      description = "Time of a transfer between map and unmap, 0-10000000; 0 by default.")
  int delay;

  @Option(
      names = "-g",
      paramLabel = "N",
      description = "Pages of a mapping, or entries of a list, 1-1024; 1 by default.")
  int granule = 1;

  @Option(
      names = "-m",
      paramLabel = "N",
      description = "Mode: 0 SINGLE_MODE, one buffer (default), 1 SG_MODE, a list of pages.")
  int mode;

  @Option(names = "--ns", description = "Also nanoseconds: averages, percentiles and the slowest.")
  boolean ns;

  @Option(
      names = "--strategy",
      paramLabel = "STRATEGY",
      description = "DMA strategy; without it the configured one, or the best that is legal.")
  @Nullable String strategy;

  @Option(
      names = "--extents",
      paramLabel = "KIND",
      converter = Words.Extents.class,
      completionCandidates = Words.Extents.class,
      description = "With --strategy: where its bounce memory shall lie, ram, device or iova.")
  @Nullable ExtentKind extents;

  @Option(
      names = "--region",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "With --extents device: size of the device's own region; 64m by default.")
  @Nullable Long region;

  @Option(
      names = "--fill",
      paramLabel = "PERCENT",
      converter = Fill.class,
      completionCandidates = Fill.class,
      description = "Hold so much of the pool by mappings of random sizes: 0 (default), 50 or 90.")
  int fill;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of --fill; 1 by default.")
  long seed = 1;

  private final ShellServices services;

  DmabenchCommand(final ShellServices services) {
    this.services = services;
  }

  /** How full the pool is. */
  static final class Fill extends Words<Integer> {
    Fill() {
      super(List.of("0", "50", "90"), Integer::valueOf);
    }
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    checkAsTheKernelsTool();
    require(extents == null || strategy != null, "--extents needs --strategy");
    final boolean own = extents == ExtentKind.DEVICE || "swiotlb-device".equals(strategy);
    require(region == null || own, "--region needs --extents device");
    return services
        .dmaBench()
        .run(
            new DmaBenchJob(
                threads,
                seconds * 1000L,
                node,
                bits,
                DmaDirection.values()[direction],
                delay,
                granule,
                DmaBenchMode.values()[mode],
                ns,
                strategy,
                extents,
                region == null ? DmaBenchJob.REGION_BYTES : region,
                fill,
                seed),
            progress::accept);
  }

  private void checkAsTheKernelsTool() {
    valid(within(mode, 0, 1), "invalid map mode, SINGLE_MODE:0, SG_MODE: 1");
    valid(
        within(threads, 1, DmaBenchJob.MOST_THREADS),
        "invalid number of threads, must be in 1-" + DmaBenchJob.MOST_THREADS);
    valid(
        within(seconds, 1, DmaBenchJob.MOST_SECONDS),
        "invalid number of seconds, must be in 1-" + DmaBenchJob.MOST_SECONDS);
    valid(
        within(delay, 0, DmaBenchJob.MOST_DELAY_NS),
        "invalid transmit delay, must be in 0-" + DmaBenchJob.MOST_DELAY_NS);
    valid(
        within(bits, DmaBenchJob.FEWEST_BITS, DmaBenchJob.MOST_BITS),
        "invalid dma mask bit, must be in "
            + DmaBenchJob.FEWEST_BITS
            + "-"
            + DmaBenchJob.MOST_BITS);
    valid(within(direction, 0, DmaDirection.values().length - 1), "invalid dma direction");
    valid(within(granule, 1, DmaBenchJob.MOST_GRANULE), "invalid granule size");
  }

  private static boolean within(final int value, final int least, final int most) {
    return value >= least && value <= most;
  }

  /** Wrong values end with 1, as with the kernel's tool; they are no usage errors there. */
  private static void valid(final boolean right, final String message) {
    if (!right) {
      throw new IllegalArgumentException(message);
    }
  }

  private static void require(final boolean right, final String message) {
    if (!right) {
      throw new UsageException("carom:dmabench: " + message);
    }
  }
}
