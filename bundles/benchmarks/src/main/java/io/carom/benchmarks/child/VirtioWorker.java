package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.VirtioTask;
import java.util.function.Consumer;

/** Does a task of the benchmark of virtqueues and block devices in this JVM. */
public final class VirtioWorker {
  private VirtioWorker() {}

  /**
   * Does a task.
   *
   * @param sink takes what is measured, as soon as it is
   * @throws IllegalStateException when something cannot be measured; one line
   */
  public static void run(final VirtioTask task, final Consumer<VirtioMessage> sink)
      throws InterruptedException {
    switch (task.kind()) {
      case RING -> new RingRun(task, sink).run();
      case BLK -> new BlkRun(task, sink).run();
    }
  }
}
