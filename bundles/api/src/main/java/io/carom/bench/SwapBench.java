package io.carom.bench;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Measures hot swaps under verified load: of strategies, and of bundles in a container of its own.
 * A service.
 *
 * <p>Thread-safe, but two runs at once disturb each other's figures.
 */
@ProviderType
public interface SwapBench {
  /**
   * Runs the benchmark, on JVMs of its own, and waits for it.
   *
   * @throws IllegalStateException when nothing could be measured; one line
   * @throws InterruptedException when the caller was interrupted; the JVMs were ended
   */
  SwapOutcome run(SwapBenchOptions options, BenchProgress progress) throws InterruptedException;
}
