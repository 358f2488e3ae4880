package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.bench.SwiotlbOutcome;
import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.child.Message;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.Selection;
import io.carom.benchmarks.plan.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the benchmark of the bounce-buffer strategies: its tasks, and what they have measured.
 */
final class SwiotlbSuite {
  private final TaskRunner<Task, Message> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final List<SwiotlbReport.Row> rows = new ArrayList<>();
  private final List<SwiotlbReport.Scaling> scaling = new ArrayList<>();
  private final List<SwiotlbReport.Failing> failing = new ArrayList<>();
  private final List<SwiotlbReport.Lookup> lookup = new ArrayList<>();
  private final List<SwiotlbReport.AgainstFixed> againstFixed = new ArrayList<>();
  private @Nullable Double heap;
  private Message.@Nullable Catalog catalog;

  SwiotlbSuite(
      final TaskRunner<Task, Message> runner,
      final BenchProgress progress,
      final LongSupplier clock) {
    this.runner = runner;
    this.progress = progress;
    this.clock = clock;
  }

  SwiotlbOutcome run(final SwiotlbBenchOptions options) throws InterruptedException {
    final TaskLoop<Task, Message> loop = new TaskLoop<>(runner, progress, clock);
    final Budget budget =
        new Budget(
            options.full() ? Long.MAX_VALUE : TimeUnit.SECONDS.toNanos(Selection.SECONDS), clock);
    final List<Task> tasks = tasks(options);
    loop.run(tasks, budget, SwiotlbSuite::words, (task, message) -> take(message));
    if (rows.isEmpty()) {
      loop.nothingMeasured();
    }
    return new SwiotlbOutcome(report(options), loop.problems());
  }

  private static String words(final Task task) {
    return String.format(
        Locale.ROOT, "%s, stretches of %.0f ms", task.title(), task.unitNs() / 1e6);
  }

  private List<Task> tasks(final SwiotlbBenchOptions options) throws InterruptedException {
    try {
      runner.run(Task.catalog(), this::take);
    } catch (final ChildFailure e) {
      throw new IllegalStateException("the benchmark does not start: " + e.getMessage(), e);
    }
    if (catalog == null) {
      throw new IllegalStateException("the benchmark does not start: its JVM named no strategy");
    }
    return Selection.tasks(catalog.strategies(), catalog.lookups(), options.full(), options.seed());
  }

  private void take(final Message message) {
    if (message.catalog() != null) {
      catalog = message.catalog();
    } else if (message.row() != null) {
      rows.add(message.row());
    } else if (message.scaling() != null) {
      scaling.add(message.scaling());
    } else if (message.failing() != null) {
      failing.add(message.failing());
    } else if (message.lookup() != null) {
      lookup.add(message.lookup());
    } else if (message.againstFixed() != null) {
      againstFixed.add(message.againstFixed());
    } else if (message.heapBytesPerOp() != null) {
      heap = heap == null ? message.heapBytesPerOp() : Math.max(heap, message.heapBytesPerOp());
    }
  }

  private SwiotlbReport report(final SwiotlbBenchOptions options) {
    return new SwiotlbReport(
        List.copyOf(rows),
        List.copyOf(scaling),
        List.copyOf(failing),
        List.copyOf(lookup),
        List.copyOf(againstFixed),
        heap,
        options.full() ? Selection.FULL_ROUNDS : Selection.ROUNDS,
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        options.seed());
  }
}
