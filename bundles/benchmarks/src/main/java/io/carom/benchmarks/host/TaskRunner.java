package io.carom.benchmarks.host;

import io.carom.benchmarks.child.Message;
import io.carom.benchmarks.plan.Task;
import java.util.function.Consumer;

/** Has a task done. */
@FunctionalInterface
interface TaskRunner {
  /**
   * Returns when it is done.
   *
   * @param sink takes what was measured, as soon as it was
   * @throws ChildFailure when it was not done, or not all of it
   */
  void run(Task task, Consumer<Message> sink) throws ChildFailure, InterruptedException;
}
