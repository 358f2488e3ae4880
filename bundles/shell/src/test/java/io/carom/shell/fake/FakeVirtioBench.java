package io.carom.shell.fake;

import io.carom.bench.BenchProgress;
import io.carom.bench.VirtioBench;
import io.carom.bench.VirtioBenchOptions;
import io.carom.bench.VirtioOutcome;
import io.carom.bench.VirtioReport;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;

/** A benchmark of rings and disks that knows its figures. */
public final class FakeVirtioBench implements VirtioBench {
  /** What was asked for. */
  public final List<VirtioBenchOptions> runs = new ArrayList<>();

  /** What it could not measure. */
  public List<String> problems = List.of();

  FakeVirtioBench() {}

  @Override
  public VirtioOutcome run(final VirtioBenchOptions options, final BenchProgress progress) {
    runs.add(options);
    progress.line("split rings");
    return new VirtioOutcome(report(options), problems);
  }

  private static VirtioReport report(final VirtioBenchOptions options) {
    return new VirtioReport(
        List.of(
            new VirtioReport.Ring("split", 1, false, 32, 1, 38.5, 37.0, 41.0, 25_974_026, 0.0),
            new VirtioReport.Ring("split", 1, false, 1, 2, 180.0, 160.0, 240.0, 5_555_556, 0.0),
            new VirtioReport.Ring("packed", 1, false, 32, 1, 44.0, 43.0, 45.0, 22_727_273, 0.0)),
        List.of(
            new VirtioReport.Blk(
                "direct",
                null,
                "memory",
                false,
                "randread",
                4096,
                32,
                500_000,
                490_000,
                510_000,
                81.5,
                null,
                null,
                0.0),
            new VirtioReport.Blk(
                "swiotlb-device",
                ExtentKind.DEVICE,
                "memory",
                false,
                "randread",
                4096,
                32,
                455_000,
                450_000,
                460_000,
                90.25,
                197.8,
                0.91,
                0.0)),
        50.0,
        0.0,
        7,
        "25.0.3",
        2,
        options.seed());
  }
}
