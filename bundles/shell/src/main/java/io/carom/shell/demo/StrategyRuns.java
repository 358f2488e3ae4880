package io.carom.shell.demo;

import io.carom.guest.FioJob;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Verified random I/O on every strategy that each disk may use. */
final class StrategyRuns {
  private static final long RUN_MS = 500; // 36 of them with all strategies

  private final ShellServices services;
  private final long seed;
  private final Consumer<String> progress;

  StrategyRuns(final ShellServices services, final long seed, final Consumer<String> progress) {
    this.services = services;
    this.seed = seed;
    this.progress = progress;
  }

  List<DemoReport.Run> run(final List<DemoDisk> disks) throws InterruptedException {
    final List<DemoReport.Run> runs = new ArrayList<>();
    for (final DemoDisk disk : disks) {
      final String device = DemoDisk.dmaName(disk.disk());
      for (final String strategy : services.dma().allowed(device)) {
        for (final String rw : workloads(disk)) {
          progress.accept("demo: " + disk.host() + ", " + strategy + ", " + rw);
          runs.add(
              new StrategyRun(services)
                  .run(disk, strategy, FioJob.of("", rw).forMillis(RUN_MS).withSeed(seed)));
        }
      }
    }
    return runs;
  }

  private static List<String> workloads(final DemoDisk disk) {
    return disk.readOnly() ? List.of("randread") : List.of("randread", "randwrite");
  }
}
