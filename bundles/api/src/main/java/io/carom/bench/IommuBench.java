package io.carom.bench;

import org.osgi.annotation.versioning.ProviderType;

/** Measures the IOMMU strategies against each other: a service. */
@ProviderType
public interface IommuBench {
  /**
   * Runs the benchmark and waits for it.
   *
   * @throws IllegalArgumentException for an unknown profile; the message lists the valid ones
   * @throws IllegalStateException when nothing could be measured; one line
   * @throws InterruptedException when the caller was interrupted
   */
  IommuOutcome run(IommuBenchOptions options, BenchProgress progress) throws InterruptedException;
}
