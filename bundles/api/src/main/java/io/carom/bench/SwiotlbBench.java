package io.carom.bench;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Measures the bounce-buffer strategies through the driver's DMA API: a service. Each strategy runs
 * in a JVM of its own, so that what the compiler learned from one does not spoil another.
 *
 * <p>Thread-safe, but two runs at once disturb each other's figures.
 */
@ProviderType
public interface SwiotlbBench {
  /**
   * Runs the benchmark, on JVMs of its own, and waits for it.
   *
   * @throws IllegalStateException when nothing could be measured; one line
   * @throws InterruptedException when the caller was interrupted; the JVMs were ended
   */
  SwiotlbOutcome run(SwiotlbBenchOptions options, BenchProgress progress)
      throws InterruptedException;
}
