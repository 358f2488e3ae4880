package io.carom.guest;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Measures the DMA API as the kernel's {@code dma_map_benchmark} does: a service of the shim. One
 * run at a time, as the kernel has one such device. Thread-safe.
 */
@ProviderType
public interface DmaBench {
  /** Name of the pseudo device that a run attaches. */
  String DEVICE = "dma_map_benchmark";

  /**
   * Attaches a pseudo device, maps and unmaps with it on threads of its own, and detaches it
   * whatever happens.
   *
   * @param progress takes what happens besides the result, one line each
   * @throws IllegalArgumentException for a job that cannot be ({@code ioctl: Invalid argument} and
   *     the reason), or a strategy that is not there; nothing is attached then
   * @throws IllegalStateException when a map failed ({@code ioctl: Cannot allocate memory}, reason
   *     and knob), or another run is going on
   * @throws InterruptedException when the caller was interrupted; the run was stopped, its mappings
   *     ended and its device detached
   */
  DmaBenchResult run(DmaBenchJob job, DmaBenchProgress progress) throws InterruptedException;
}
