package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.Task;
import java.io.IOException;

/** The program of a child that measures bounce-buffer strategies. */
public final class Main {
  private Main() {}

  /** Runs one task. */
  public static void main(final String[] arguments) throws IOException {
    Child.run(Task.class, Worker::run, Message.DONE, Message::ofError);
  }
}
