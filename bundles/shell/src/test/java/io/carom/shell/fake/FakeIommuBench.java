package io.carom.shell.fake;

import io.carom.bench.BenchProgress;
import io.carom.bench.IommuBench;
import io.carom.bench.IommuBenchOptions;
import io.carom.bench.IommuOutcome;
import io.carom.bench.IommuReport;
import java.util.ArrayList;
import java.util.List;

/** A benchmark of IOMMU strategies that knows its figures. */
public final class FakeIommuBench implements IommuBench {
  /** What was asked for. */
  public final List<IommuBenchOptions> runs = new ArrayList<>();

  /** What it could not measure. */
  public List<String> problems = List.of();

  FakeIommuBench() {}

  @Override
  public IommuOutcome run(final IommuBenchOptions options, final BenchProgress progress) {
    runs.add(options);
    progress.line("iommu-strict unbatched");
    return new IommuOutcome(report(options), problems);
  }

  private static IommuReport report(final IommuBenchOptions options) {
    final boolean series = options.profile().equals("series");
    return new IommuReport(
        options.profile(),
        options.virtual(),
        FakeIommu.costs(options.profile(), series),
        List.of(
            new IommuReport.Row(
                "iommu-strict", "unbatched", "read", 65_536, 64, 20_000, 1250, 90_000, 30_000, 16,
                1, 17, 1, 0, 125_000, 0, 0.0, 1024),
            new IommuReport.Row(
                "iommu-pool", "necessary-only", "read", 65_536, 64, 44_000, 2750, 300, 6700, 0, 0,
                0, 0, 65_536, 9_000, 4 << 20, 0.0, 1024),
            new IommuReport.Row(
                "direct", null, "write", 4096, 64, 70_000, 273.4375, 50, 40, 0, 0, 0, 0, 0, 1_000,
                0, null, 0)),
        List.of(
            new IommuReport.Hit(1, false, 41.5, 40.0, 44.0, null, null),
            new IommuReport.Hit(2, false, 42.0, 41.0, 45.0, 1.94, 1.97)),
        List.of(new IommuReport.Lookup(1_000_000, 26.0, 210.0)),
        0L,
        List.of(
            new IommuReport.BreakEven("iommu-strict", "unbatched", "read", 4096L),
            new IommuReport.BreakEven("iommu-lazy", "single", "read", null)),
        series ? List.of(new IommuReport.Published(65_536, 3.6, 2.2, -90, -78)) : List.of(),
        5,
        "25.0.3",
        2,
        options.seed());
  }
}
