package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.VirtioBenchOptions;
import io.carom.bench.VirtioOutcome;
import io.carom.bench.VirtioReport;
import io.carom.benchmarks.child.VirtioMessage;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.VirtioPlan;
import io.carom.benchmarks.plan.VirtioTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the benchmark of virtqueues and block devices: its tasks one after another, each with
 * a share of the time that is left. A task that fails costs its own figures and no other's.
 */
final class VirtioSuite {
  private final TaskRunner<VirtioTask, VirtioMessage> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final List<VirtioReport.Ring> ring = new ArrayList<>();
  private final List<VirtioReport.Blk> blk = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private @Nullable Double nsHotCopy;

  VirtioSuite(
      final TaskRunner<VirtioTask, VirtioMessage> runner,
      final BenchProgress progress,
      final LongSupplier clock) {
    this.runner = runner;
    this.progress = progress;
    this.clock = clock;
  }

  VirtioOutcome run(final VirtioBenchOptions options) throws InterruptedException {
    final long start = clock.getAsLong();
    final Budget budget = new Budget(TimeUnit.SECONDS.toNanos(VirtioPlan.SECONDS), clock);
    final List<VirtioTask> tasks = VirtioPlan.tasks(options.ring(), options.blk(), options.seed());
    for (int i = 0; i < tasks.size(); i++) {
      final VirtioTask task = tasks.get(i).withUnit(budget.unit(tasks.subList(i, tasks.size())));
      progress.line(
          String.format(
              Locale.ROOT,
              "%5.1f s  %d of %d: %s",
              (clock.getAsLong() - start) / 1e9,
              i + 1,
              tasks.size(),
              task.title()));
      try {
        runner.run(task, this::take);
      } catch (final ChildFailure e) {
        final String problem = task.title() + ": " + e.getMessage();
        problems.add(problem);
        progress.line("FAILED   " + problem);
      }
    }
    if (ring.isEmpty() && blk.isEmpty() && !problems.isEmpty()) {
      throw new IllegalStateException(problems.getFirst());
    }
    return new VirtioOutcome(report(options), problems);
  }

  private void take(final VirtioMessage message) {
    if (message.ring() != null) {
      ring.add(message.ring());
    } else if (message.blk() != null) {
      blk.add(message.blk());
    } else if (message.nsHotCopy() != null) {
      nsHotCopy = message.nsHotCopy();
    }
  }

  private VirtioReport report(final VirtioBenchOptions options) {
    final double most =
        blk.stream()
            .map(VirtioReport.Blk::heapBytesPerRequest)
            .filter(Objects::nonNull)
            .mapToDouble(Double::doubleValue)
            .max()
            .orElse(-1);
    return new VirtioReport(
        List.copyOf(ring),
        List.copyOf(blk),
        nsHotCopy,
        most < 0 ? null : most,
        VirtioPlan.ROUNDS,
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        options.seed());
  }
}
