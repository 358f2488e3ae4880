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
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the benchmark of virtqueues and block devices: its tasks, and what they have measured.
 */
final class VirtioSuite {
  private final TaskRunner<VirtioTask, VirtioMessage> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final List<VirtioReport.Ring> ring = new ArrayList<>();
  private final List<VirtioReport.Blk> blk = new ArrayList<>();
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
    final TaskLoop<VirtioTask, VirtioMessage> loop = new TaskLoop<>(runner, progress, clock);
    final Budget budget = new Budget(TimeUnit.SECONDS.toNanos(VirtioPlan.SECONDS), clock);
    final List<VirtioTask> tasks = VirtioPlan.tasks(options.ring(), options.blk(), options.seed());
    loop.run(tasks, budget, VirtioTask::title, (task, message) -> take(message));
    if (ring.isEmpty() && blk.isEmpty()) {
      loop.nothingMeasured();
    }
    return new VirtioOutcome(report(options), loop.problems());
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
