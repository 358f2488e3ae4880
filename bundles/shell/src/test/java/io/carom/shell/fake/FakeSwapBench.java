package io.carom.shell.fake;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwapBench;
import io.carom.bench.SwapBenchOptions;
import io.carom.bench.SwapBenchReport;
import io.carom.bench.SwapBenchReport.Spread;
import io.carom.bench.SwapOutcome;
import java.util.ArrayList;
import java.util.List;

/** A benchmark of hot swaps that knows its figures. */
public final class FakeSwapBench implements SwapBench {
  /** What was asked for. */
  public final List<SwapBenchOptions> runs = new ArrayList<>();

  /** What it could not measure. */
  public List<String> problems = List.of();

  /** Corrupt blocks and lost requests. */
  public long corrupt;

  /** Lost requests. */
  public long lost;

  FakeSwapBench() {}

  @Override
  public SwapOutcome run(final SwapBenchOptions options, final BenchProgress progress) {
    runs.add(options);
    progress.line("swaps of strategies");
    return new SwapOutcome(report(options), problems);
  }

  private SwapBenchReport report(final SwapBenchOptions options) {
    return new SwapBenchReport(
        List.of(cell(1, 50, 2.0, 0, 0.93), cell(16, 75, 1.25, 40, 0.9)),
        List.of(
            new SwapBenchReport.Update(
                "io.carom.virtio.device",
                3,
                9_000_000,
                0,
                0,
                0,
                new Spread(30, 41.5, 41.5),
                new Spread(50, 161.5, 161.5),
                new Spread(0.5, 1.5, 1.5)),
            new SwapBenchReport.Update("io.carom.shell", 0, 0, 0, 0, 0, null, null, null)),
        10.5,
        new SwapBenchReport.Total(200, 3, 9_000_000_000L, corrupt, lost),
        5,
        "25.0.3",
        2,
        options.seed());
  }

  private static SwapBenchReport.Cell cell(
      final int workers,
      final int occupancy,
      final double peaks,
      final long failed,
      final double ratio) {
    return new SwapBenchReport.Cell(
        workers,
        occupancy,
        peaks,
        11.25,
        100,
        4_000_000_000L,
        0,
        0,
        failed,
        new Spread(1.5, 4.25, 5.5),
        new Spread(20, 640, 900),
        new Spread(15, 80, 95),
        new Spread(5, 60, 75),
        new Spread(2, 6.5, 8),
        99.5,
        ratio,
        0.8,
        1.1);
  }
}
