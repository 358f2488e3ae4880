package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.SwapTask;
import java.util.function.Consumer;

/** Does a task of the benchmark of hot swaps in this JVM, where no container is needed. */
public final class SwapWorker {
  private SwapWorker() {}

  /**
   * Does a task.
   *
   * @param sink takes what is measured, as soon as it is
   * @throws IllegalStateException when something cannot be measured; one line
   */
  public static void run(final SwapTask task, final Consumer<SwapMessage> sink)
      throws InterruptedException {
    switch (task.kind()) {
      case OVERHEAD -> new OverheadRun(task, sink).run();
      case CELLS -> new CellsRun(task, sink).run();
      case UPDATES -> throw new IllegalStateException("bundles are updated in a container only");
    }
  }
}
