package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.IommuBenchOptions;
import io.carom.bench.IommuOutcome;
import io.carom.bench.IommuReport;
import io.carom.benchmarks.child.IommuMessage;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.IommuPlan;
import io.carom.benchmarks.plan.IommuTask;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the benchmark of the IOMMU strategies: its tasks one after another, each with a share
 * of the time that is left. A task that fails costs its own figures and no other's.
 */
final class IommuSuite {
  private final TaskRunner<IommuTask, IommuMessage> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final List<IommuReport.Row> virtual = new ArrayList<>();
  private final List<IommuReport.Row> real = new ArrayList<>();
  private final List<IommuReport.Hit> hit = new ArrayList<>();
  private final List<IommuReport.Lookup> lookup = new ArrayList<>();
  private @Nullable Long idlePages;
  private IommuMessage.@Nullable Catalog catalog;

  IommuSuite(
      final TaskRunner<IommuTask, IommuMessage> runner,
      final BenchProgress progress,
      final LongSupplier clock) {
    this.runner = runner;
    this.progress = progress;
    this.clock = clock;
  }

  IommuOutcome run(final IommuBenchOptions options) throws InterruptedException {
    final TaskLoop<IommuTask, IommuMessage> loop = new TaskLoop<>(runner, progress, clock);
    final Budget budget = new Budget(TimeUnit.SECONDS.toNanos(IommuPlan.SECONDS), clock);
    final IommuMessage.Catalog known = catalog(options.profile());
    final List<IommuTask> tasks =
        IommuPlan.tasks(
            IommuPlan.cases(known.variants()),
            options.profile(),
            options.virtual(),
            options.seed());
    loop.run(tasks, budget, IommuTask::title, (task, message) -> take(message, task.kind()));
    final List<IommuReport.Row> rows =
        options.virtual() ? virtual : IommuFindings.windows(real, virtual);
    if (rows.isEmpty()) {
      loop.nothingMeasured();
    }
    return new IommuOutcome(report(options, known, rows), loop.problems());
  }

  private IommuMessage.Catalog catalog(final String profile) throws InterruptedException {
    try {
      runner.run(IommuTask.catalog(profile), message -> take(message, IommuTask.Kind.CATALOG));
    } catch (final ChildFailure e) {
      throw new IllegalStateException("the benchmark does not start: " + e.getMessage(), e);
    }
    final IommuMessage.Catalog known = catalog;
    if (known == null) {
      throw new IllegalStateException("the benchmark does not start: its JVM named no strategy");
    }
    return known;
  }

  private void take(final IommuMessage message, final IommuTask.Kind kind) {
    if (message.catalog() != null) {
      catalog = message.catalog();
    } else if (message.row() != null) {
      (kind == IommuTask.Kind.VIRTUAL_ROWS ? virtual : real).add(message.row());
    } else if (message.hit() != null) {
      hit.add(message.hit());
    } else if (message.lookup() != null) {
      lookup.add(message.lookup());
    } else if (message.idlePages() != null) {
      idlePages = message.idlePages();
    }
  }

  private IommuReport report(
      final IommuBenchOptions options,
      final IommuMessage.Catalog known,
      final List<IommuReport.Row> rows) {
    return new IommuReport(
        options.profile(),
        options.virtual(),
        known.costs(),
        List.copyOf(rows),
        List.copyOf(hit),
        List.copyOf(lookup),
        idlePages,
        IommuFindings.breakEven(virtual),
        known.costs().calibrated() ? IommuFindings.published(virtual) : List.of(),
        options.virtual() ? 1 : IommuPlan.ROUNDS,
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        options.seed());
  }
}
