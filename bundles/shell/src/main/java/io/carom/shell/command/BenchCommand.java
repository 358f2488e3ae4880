package io.carom.shell.command;

import io.carom.bench.SwiotlbBenchOptions;
import io.carom.shell.result.BenchResult;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "carom:bench",
    description = "Measure what Carom is made of, beside the targets that it was built to.")
final class BenchCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "WHAT",
      converter = Words.Bench.class,
      completionCandidates = Words.Bench.class,
      description =
          "swiotlb: maps and unmaps of the bounce-buffer strategies, each in its own JVM.")
  String what = "";

  @Option(
      names = "--full",
      description = "The whole matrix, about half an hour; else a selection of at most 55 s.")
  boolean full;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the random fill of pools; 1 by default.")
  long seed = 1;

  private final ShellServices services;

  BenchCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    return new BenchResult(
        services.swiotlbBench().run(new SwiotlbBenchOptions(full, seed), progress::accept));
  }
}
