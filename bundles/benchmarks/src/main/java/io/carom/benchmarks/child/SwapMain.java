package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.SwapTask;
import java.io.IOException;

/** The program of a child that measures hot swaps of strategies. */
public final class SwapMain {
  private SwapMain() {}

  /** Runs one task. */
  public static void main(final String[] arguments) throws IOException {
    Child.run(SwapTask.class, SwapWorker::run, SwapMessage.DONE, SwapMessage::ofError);
  }
}
