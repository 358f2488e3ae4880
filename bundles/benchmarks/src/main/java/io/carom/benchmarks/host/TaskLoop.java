package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.PlannedTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Has the tasks of a run done one after another, each with a share of the time that is left. A task
 * that fails costs its own figures and no other's.
 *
 * @param <T> kind of task
 * @param <M> what is said of it
 */
final class TaskLoop<T extends PlannedTask<T>, M> {
  private final TaskRunner<T, M> runner;
  private final BenchProgress progress;
  private final LongSupplier clock;
  private final long start;
  private final List<String> problems = new ArrayList<>();

  /** A loop whose time begins now. */
  TaskLoop(final TaskRunner<T, M> runner, final BenchProgress progress, final LongSupplier clock) {
    this.runner = runner;
    this.progress = progress;
    this.clock = clock;
    start = clock.getAsLong();
  }

  /**
   * Runs the tasks.
   *
   * @param words what the line that tells of a task calls it
   * @param sink takes what is said, and of which task
   */
  void run(
      final List<T> tasks,
      final Budget budget,
      final Function<T, String> words,
      final BiConsumer<T, M> sink)
      throws InterruptedException {
    for (int i = 0; i < tasks.size(); i++) {
      final T task = tasks.get(i).withUnit(budget.unit(tasks.subList(i, tasks.size())));
      progress.line(
          String.format(
              Locale.ROOT,
              "%5.1f s  %d of %d: %s",
              (clock.getAsLong() - start) / 1e9,
              i + 1,
              tasks.size(),
              words.apply(task)));
      try {
        runner.run(task, message -> sink.accept(task, message));
      } catch (final ChildFailure e) {
        final String problem = task.title() + ": " + e.getMessage();
        problems.add(problem);
        progress.line("FAILED   " + problem);
      }
    }
  }

  /** What failed, a line each. */
  List<String> problems() {
    return List.copyOf(problems);
  }

  /**
   * Ends a run that has nothing to show.
   *
   * @throws IllegalStateException with the first line of what failed, if anything did
   */
  void nothingMeasured() {
    if (!problems.isEmpty()) {
      throw new IllegalStateException(problems.getFirst());
    }
  }
}
