package io.carom.shell.command;

import io.carom.bench.IommuBenchOptions;
import io.carom.bench.SwapBenchOptions;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.bench.VirtioBenchOptions;
import io.carom.shell.result.BenchResult;
import io.carom.shell.result.IommuBenchResult;
import io.carom.shell.result.SwapBenchResult;
import io.carom.shell.result.VirtioBenchResult;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "carom:bench",
    description = "Measure what Carom is made of, beside the targets that it was built to.",
    footer = {
      "",
      "Examples:",
      "  bench swiotlb",
      "  bench iommu --profile high",
      "  bench iommu --virtual --json",
      "  bench virtio --only ring",
      "  bench swap --seconds 20"
    })
final class BenchCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "WHAT",
      converter = Words.Bench.class,
      completionCandidates = Words.Bench.class,
      description = {
        "swiotlb: maps and unmaps of the bounce-buffer strategies, each in its own JVM.",
        "iommu: I/O under the IOMMU strategies, and what it asks of the IOMMU.",
        "virtio: rings by themselves, and random reads of disks with and without bounces.",
        "swap: hot swaps of strategies, and updates of bundles, under verified load."
      })
  String what = "";

  @Option(
      names = "--full",
      description =
          "swiotlb: the whole matrix, about half an hour; else a selection of at most 55 s.")
  boolean full;

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      converter = Words.Profile.class,
      completionCandidates = Words.Profile.class,
      description =
          "iommu: what its requests cost, modelled: none, low, typical, high, s390, or series,"
              + " which is calibrated to published results; typical by default.")
  @Nullable String profile;

  @Option(
      names = "--virtual",
      description = "iommu: on a virtual clock, exact and repeatable; else in real time.")
  boolean virtual;

  @Option(
      names = "--only",
      paramLabel = "PART",
      converter = Words.VirtioPart.class,
      completionCandidates = Words.VirtioPart.class,
      description = "virtio: one part of it, ring or blk; else both, at most 55 s.")
  @Nullable String only;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description = "swap: how long it takes about, 1 to 3600; 50 by default.")
  @Nullable Integer seconds;

  @Option(
      names = "--soak",
      description = "swap: 10,000 swaps and 200 updates instead, about ten minutes.")
  boolean soak;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of what is random; 1 by default.")
  long seed = 1;

  private final ShellServices services;

  BenchCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    refuse(full, "--full", "swiotlb");
    refuse(profile != null, "--profile", "iommu");
    refuse(virtual, "--virtual", "iommu");
    refuse(only != null, "--only", "virtio");
    refuse(seconds != null, "--seconds", "swap");
    refuse(soak, "--soak", "swap");
    return switch (what) {
      case "iommu" -> iommu(progress);
      case "virtio" -> virtio(progress);
      case "swap" -> swap(progress);
      default -> swiotlb(progress);
    };
  }

  /** An option of one benchmark that was given for another. */
  private void refuse(final boolean given, final String option, final String owner) {
    if (given && !what.equals(owner)) {
      throw new UsageException("carom:bench: " + option + " is for " + owner + ", not for " + what);
    }
  }

  private Object iommu(final Consumer<String> progress) throws InterruptedException {
    final String costs = profile == null ? IommuBenchOptions.DEFAULTS.profile() : profile;
    return new IommuBenchResult(
        services.iommuBench().run(new IommuBenchOptions(costs, virtual, seed), progress::accept));
  }

  private Object virtio(final Consumer<String> progress) throws InterruptedException {
    final VirtioBenchOptions options =
        new VirtioBenchOptions(!"blk".equals(only), !"ring".equals(only), seed);
    return new VirtioBenchResult(services.virtioBench().run(options, progress::accept));
  }

  private Object swap(final Consumer<String> progress) throws InterruptedException {
    if (soak && seconds != null) {
      throw new UsageException("carom:bench: --seconds means nothing with --soak");
    }
    final int length = seconds == null ? SwapBenchOptions.SECONDS : seconds;
    if (length < 1 || length > SwapBenchOptions.MOST_SECONDS) {
      throw new UsageException(
          "carom:bench: --seconds=" + length + " is not in 1.." + SwapBenchOptions.MOST_SECONDS);
    }
    return new SwapBenchResult(
        services.swapBench().run(new SwapBenchOptions(length, soak, seed), progress::accept));
  }

  private Object swiotlb(final Consumer<String> progress) throws InterruptedException {
    return new BenchResult(
        services.swiotlbBench().run(new SwiotlbBenchOptions(full, seed), progress::accept));
  }
}
