package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwapBenchOptions;
import io.carom.bench.SwapBenchReport;
import io.carom.bench.SwapBenchReport.Cell;
import io.carom.bench.SwapBenchReport.Update;
import io.carom.bench.SwapOutcome;
import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.SwapPlan;
import io.carom.benchmarks.plan.SwapTask;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One run of the benchmark of hot swaps: its tasks, and what they have measured. */
final class SwapSuite {
  private final TaskRunner<SwapTask, SwapMessage> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final List<Cell> cells = new ArrayList<>();
  private final List<Update> updates = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private @Nullable Double swappableNs;

  SwapSuite(
      final TaskRunner<SwapTask, SwapMessage> runner,
      final BenchProgress progress,
      final LongSupplier clock) {
    this.runner = runner;
    this.progress = progress;
    this.clock = clock;
  }

  SwapOutcome run(final SwapBenchOptions options) throws InterruptedException {
    final TaskLoop<SwapTask, SwapMessage> loop = new TaskLoop<>(runner, progress, clock);
    final Budget budget = new Budget(SwapPlan.budgetNs(options), clock);
    loop.run(SwapPlan.tasks(options), budget, SwapTask::title, (task, message) -> take(message));
    problems.addAll(loop.problems());
    if (cells.isEmpty() && updates.isEmpty() && swappableNs == null) {
      loop.nothingMeasured();
    }
    return new SwapOutcome(report(options), problems);
  }

  private void take(final SwapMessage message) {
    if (message.cell() != null) {
      cells.add(message.cell());
    } else if (message.update() != null) {
      updates.add(message.update());
    } else if (message.swappableNsPerOp() != null) {
      swappableNs = message.swappableNsPerOp();
    } else if (message.problem() != null) {
      problems.add(message.problem());
      progress.line("PROBLEM  " + message.problem());
    }
  }

  private SwapBenchReport report(final SwapBenchOptions options) {
    return new SwapBenchReport(
        List.copyOf(cells),
        List.copyOf(updates),
        swappableNs,
        new SwapBenchReport.Total(
            cells.stream().mapToLong(Cell::swaps).sum(),
            updates.stream().mapToLong(Update::count).sum(),
            cells.stream().mapToLong(Cell::verifiedBytes).sum()
                + updates.stream().mapToLong(Update::verifiedBytes).sum(),
            cells.stream().mapToLong(Cell::corruptBlocks).sum()
                + updates.stream().mapToLong(Update::corruptBlocks).sum(),
            cells.stream().mapToLong(Cell::lostRequests).sum()
                + updates.stream().mapToLong(Update::lostRequests).sum()),
        SwapPlan.ROUNDS,
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        options.seed());
  }
}
