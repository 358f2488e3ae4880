package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.VirtioTask;
import java.util.function.Consumer;

final class RingRun {
  RingRun(final VirtioTask task, final Consumer<VirtioMessage> sink) {}

  void run() {}
}
