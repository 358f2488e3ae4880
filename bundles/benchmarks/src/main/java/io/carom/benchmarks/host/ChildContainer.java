package io.carom.benchmarks.host;

import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.SwapTask;
import java.util.function.Consumer;

final class ChildContainer implements TaskRunner<SwapTask, SwapMessage> {
  @Override
  public void run(final SwapTask task, final Consumer<SwapMessage> sink) throws ChildFailure {
    throw new ChildFailure("not yet");
  }
}
