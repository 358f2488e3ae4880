package io.carom.benchmarks.host;

import java.util.function.Consumer;

/**
 * Has a task done.
 *
 * @param <T> kind of task
 * @param <M> what is said of it
 */
@FunctionalInterface
interface TaskRunner<T, M> {
  /**
   * Returns when it is done.
   *
   * @param sink takes what was measured, as soon as it was
   * @throws ChildFailure when it was not done, or not all of it
   */
  void run(T task, Consumer<M> sink) throws ChildFailure, InterruptedException;
}
