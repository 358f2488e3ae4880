package io.carom.shell.fake;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwiotlbBench;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.bench.SwiotlbOutcome;
import io.carom.bench.SwiotlbReport;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A benchmark that knows its figures. */
public final class FakeBench implements SwiotlbBench {
  /** What was asked for. */
  public final List<SwiotlbBenchOptions> runs = new ArrayList<>();

  /** What it could not measure. */
  public List<String> problems = List.of();

  FakeBench() {}

  @Override
  public SwiotlbOutcome run(final SwiotlbBenchOptions options, final BenchProgress progress) {
    runs.add(options);
    progress.line("1 of 1: swiotlb-magazine");
    return new SwiotlbOutcome(report(options.seed()), problems);
  }

  /** The figures. */
  public static SwiotlbReport report(final long seed) {
    return new SwiotlbReport(
        List.of(
            row("swiotlb-magazine", 4096, false, 24.5, null),
            row("swiotlb-magazine", 4096, true, 46.25, 20.5),
            row("swiotlb-magazine", 65_536, true, 500.0, 480.0),
            row("swiotlb-magazine", 262_144, true, null, 1871.0),
            row("swiotlb-fixed", 4096, false, 79.5, null)),
        List.of(
            new SwiotlbReport.Scaling("swiotlb-magazine", 4096, true, 1.75, 1.9),
            new SwiotlbReport.Scaling("swiotlb-magazine", 512, true, 1.9, 1.9)),
        List.of(new SwiotlbReport.Failing("swiotlb-magazine", 1 << 30, 262_144, 150.5)),
        List.of(
            new SwiotlbReport.Lookup("direct", 1, 20.0, 21.0),
            new SwiotlbReport.Lookup("direct", 1_000_000, 23.0, 190.0),
            new SwiotlbReport.Lookup("mru", 1_000_000, null, null)),
        List.of(
            new SwiotlbReport.AgainstFixed("swiotlb-growing", "4KiB x 1 thread", 1.0, 0.96, 1.04)),
        0.0,
        5,
        "25.0.3",
        2,
        seed);
  }

  private static SwiotlbReport.Row row(
      final String strategy,
      final long size,
      final boolean copy,
      final @Nullable Double ns,
      final @Nullable Double hot) {
    return new SwiotlbReport.Row(
        strategy,
        ExtentKind.RAM,
        size,
        DmaDirection.TO_DEVICE,
        copy,
        1,
        0,
        64 << 20,
        ns,
        ns,
        ns,
        ns == null ? null : 1e9 / ns,
        ns == null ? 7 : 0,
        hot,
        hot);
  }
}
