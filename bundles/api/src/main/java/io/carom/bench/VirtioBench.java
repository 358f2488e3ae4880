package io.carom.bench;

import org.osgi.annotation.versioning.ProviderType;

/** Measures virtqueues and block devices: a service. */
@ProviderType
public interface VirtioBench {
  /**
   * Runs the benchmark, on JVMs of its own, and waits for it.
   *
   * @throws IllegalStateException when nothing could be measured; one line
   * @throws InterruptedException when the caller was interrupted; the JVMs were ended
   */
  VirtioOutcome run(VirtioBenchOptions options, BenchProgress progress) throws InterruptedException;
}
