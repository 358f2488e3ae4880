package io.carom.shell.command;

import io.carom.bench.IommuBenchOptions;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.shell.result.BenchResult;
import io.carom.shell.result.IommuBenchResult;
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
      "  bench iommu --virtual --json"
    })
final class BenchCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "WHAT",
      converter = Words.Bench.class,
      completionCandidates = Words.Bench.class,
      description = {
        "swiotlb: maps and unmaps of the bounce-buffer strategies, each in its own JVM.",
        "iommu: I/O under the IOMMU strategies, and what it asks of the IOMMU."
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

  @Option(names = "--seed", paramLabel = "N", description = "Seed of what is random; 1 by default.")
  long seed = 1;

  private final ShellServices services;

  BenchCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    return "iommu".equals(what) ? iommu(progress) : swiotlb(progress);
  }

  private Object iommu(final Consumer<String> progress) throws InterruptedException {
    if (full) {
      throw new UsageException("carom:bench: --full is for swiotlb, not for iommu");
    }
    final String costs = profile == null ? IommuBenchOptions.DEFAULTS.profile() : profile;
    return new IommuBenchResult(
        services
            .iommuBench()
            .run(new IommuBenchOptions(costs, virtual, seed), progress::accept));
  }

  private Object swiotlb(final Consumer<String> progress) throws InterruptedException {
    if (profile != null || virtual) {
      throw new UsageException(
          "carom:bench: "
              + (virtual ? "--virtual" : "--profile")
              + " is for iommu, not for swiotlb");
    }
    return new BenchResult(
        services.swiotlbBench().run(new SwiotlbBenchOptions(full, seed), progress::accept));
  }
}
