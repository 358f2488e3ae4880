package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.IommuTask;
import java.io.IOException;

/** The program of a child that measures IOMMU strategies. */
public final class IommuMain {
  private IommuMain() {}

  /** Runs one task. */
  public static void main(final String[] arguments) throws IOException {
    Child.run(IommuTask.class, IommuWorker::run, IommuMessage.DONE, IommuMessage::ofError);
  }
}
