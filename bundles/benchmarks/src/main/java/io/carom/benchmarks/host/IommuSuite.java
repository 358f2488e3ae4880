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
import java.util.Locale;
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
  private final List<String> problems = new ArrayList<>();
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
    final long start = clock.getAsLong();
    final Budget budget = new Budget(TimeUnit.SECONDS.toNanos(IommuPlan.SECONDS), clock);
    final IommuMessage.Catalog known = catalog(options.profile());
    final List<IommuTask> tasks =
        IommuPlan.tasks(
            IommuPlan.cases(known.variants()),
            options.profile(),
            options.virtual(),
            options.seed());
    for (int i = 0; i < tasks.size(); i++) {
      final IommuTask task = tasks.get(i).withUnit(budget.unit(tasks.subList(i, tasks.size())));
      progress.line(
          String.format(
              Locale.ROOT,
              "%5.1f s  %d of %d: %s",
              (clock.getAsLong() - start) / 1e9,
              i + 1,
              tasks.size(),
              task.title()));
      try {
        runner.run(task, message -> take(message, task.kind()));
      } catch (final ChildFailure e) {
        final String problem = task.title() + ": " + e.getMessage();
        problems.add(problem);
        progress.line("FAILED   " + problem);
      }
    }
    final List<IommuReport.Row> rows = options.virtual() ? virtual : IommuFindings.windows(real, virtual);
    if (rows.isEmpty() && !problems.isEmpty()) {
      throw new IllegalStateException(problems.getFirst());
    }
    return new IommuOutcome(report(options, known, rows), List.copyOf(problems));
  }

  private IommuMessage.Catalog catalog(final String profile) throws InterruptedException {
    try {
      runner.run(
          IommuTask.catalog(profile), message -> take(message, IommuTask.Kind.CATALOG));
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
