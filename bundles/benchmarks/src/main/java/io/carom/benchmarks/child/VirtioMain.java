package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.VirtioTask;
import java.io.IOException;

/** The program of a child that measures virtqueues and block devices. */
public final class VirtioMain {
  private VirtioMain() {}

  /** Runs one task. */
  public static void main(final String[] arguments) throws IOException {
    Child.run(VirtioTask.class, VirtioWorker::run, VirtioMessage.DONE, VirtioMessage::ofError);
  }
}
