package io.carom.shell.text;

import io.carom.bench.SwapBenchReport;
import io.carom.bench.SwapBenchReport.Cell;
import io.carom.bench.SwapBenchReport.Spread;
import io.carom.bench.SwapBenchReport.Update;
import io.carom.shell.result.SwapBenchResult;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/** The report of hot swaps as tables, the targets last. */
final class SwapBenchText {
  private static final String DEVICE_MODEL = "io.carom.virtio.device";
  private static final double ENOUGH_PEAKS = 2;
  private static final double STALL_US = 1000;
  private static final double PAUSE_MS = 150;
  private static final double LEAST_RATIO = 0.85;
  private static final double SWAPPABLE_NS = 12;

  private static final Columns<Cell> CELLS =
      new Columns<Cell>()
          .number("WORKERS", Cell::workers)
          .number("FULL %", Cell::occupancyPercent)
          .number("PEAKS", Cell::capacityPeaks)
          .number("SWAPS", Cell::swaps)
          .number("EVERY MS", Cell::swapEveryMs)
          .number("CORRUPT", Cell::corruptBlocks)
          .number("LOST", Cell::lostRequests)
          .number("FAILED MAPS", Cell::failedMaps)
          .number("STALL P99 US", row -> of(row.stallUs(), Spread::p99))
          .number("MAX", row -> of(row.stallUs(), Spread::max))
          .number("CONTROL P99", row -> of(row.controlStallUs(), Spread::p99))
          .number("MAX MAP", Cell::controlMapMaxUs)
          .number("GRACE P99 US", row -> of(row.graceUs(), Spread::p99))
          .number("DRAIN P99 MS", row -> of(row.drainMs(), Spread::p99))
          .number("HELD P99 MS", row -> of(row.heldMs(), Spread::p99))
          .number("THROUGHPUT", Cell::throughputRatio);

  private static final Columns<Update> UPDATES =
      new Columns<Update>()
          .word("UPDATED BUNDLE", Update::bundle)
          .number("COUNT", Update::count)
          .number("CORRUPT", Update::corruptBlocks)
          .number("LOST", Update::lostRequests)
          .number("NO STRATEGY", Update::noStrategyMaps)
          .number("PAUSE P50 MS", row -> of(row.pauseMs(), Spread::p50))
          .number("P99", row -> of(row.pauseMs(), Spread::p99))
          .number("MAX", row -> of(row.pauseMs(), Spread::max))
          .number("CONTROL MAX", row -> of(row.controlPauseMs(), Spread::max))
          .number("UPDATE P50 MS", row -> of(row.updateMs(), Spread::p50));

  private SwapBenchText() {}

  static String text(final SwapBenchResult result) {
    final SwapBenchReport report = result.outcome().report();
    final Formatter out = new Formatter(Locale.ROOT);
    out.format("%s\n\n", CELLS.table(report.cells(), "swaps were not measured"));
    out.format("peaks: the pool over the most in flight; control: the same maps without swaps\n\n");
    out.format("%s\n\n", UPDATES.table(report.updates(), "updates were not measured"));
    out.format("%s\n\n", targets(report).table());
    result.outcome().problems().forEach(problem -> out.format("PROBLEM  %s\n", problem));
    out.format(
        "%d swaps, %d updates, %d bytes verified; %d rounds at least; JDK %s, %d processors, seed"
            + " %d",
        report.total().swaps(),
        report.total().updates(),
        report.total().verifiedBytes(),
        report.rounds(),
        report.jdk(),
        report.cpus(),
        report.seed());
    return out.toString();
  }

  private static @Nullable Double of(
      final @Nullable Spread spread, final Function<Spread, Double> part) {
    return spread == null ? null : part.apply(spread);
  }

  private static Targets targets(final SwapBenchReport report) {
    final Targets targets = new Targets();
    final boolean any = !report.cells().isEmpty() || !report.updates().isEmpty();
    final double wrong = report.total().corruptBlocks() + report.total().lostRequests();
    targets.atMost("corrupt and lost", any ? wrong : null, 0, "in all");
    final List<Cell> roomy =
        report.cells().stream().filter(cell -> cell.capacityPeaks() >= ENOUGH_PEAKS).toList();
    targets.atMost(
        "failed maps, pool of 2 peaks or more", most(roomy, Cell::failedMaps), 0, "in a cell");
    targets.atMost(
        "stall, p99",
        most(report.cells(), cell -> orZero(of(cell.stallUs(), Spread::p99))),
        STALL_US,
        "us in each cell");
    targets.atMost(
        "pause, p99, update of " + DEVICE_MODEL,
        report.updates().stream()
            .filter(row -> row.bundle().equals(DEVICE_MODEL))
            .map(row -> of(row.pauseMs(), Spread::p99))
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null),
        PAUSE_MS,
        "ms, judged in a soak");
    targets.atLeast(
        "throughput with swaps",
        report.cells().isEmpty()
            ? null
            : values(report.cells(), Cell::throughputRatio).min().orElseThrow(),
        LEAST_RATIO,
        "of that without, in each cell");
    targets.atMost(
        "what being swappable costs a map and its unmap",
        report.swappableNsPerOp(),
        SWAPPABLE_NS,
        "ns");
    return targets;
  }

  private static double orZero(final @Nullable Double value) {
    return value == null ? 0 : value;
  }

  private static @Nullable Double most(final List<Cell> cells, final ToDoubleFunction<Cell> value) {
    return cells.isEmpty() ? null : values(cells, value).max().orElseThrow();
  }

  private static DoubleStream values(final List<Cell> cells, final ToDoubleFunction<Cell> value) {
    return cells.stream().mapToDouble(value);
  }
}
