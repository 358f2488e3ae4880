package io.carom.shell.service;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Swaps that are waited for. */
public final class Swaps {
  /** How long a swap may take beyond a drain deadline given with it, milliseconds. */
  private static final long LIMIT_MS = 120_000;

  private Swaps() {}

  /**
   * Makes a device use a strategy and waits until the swap is over.
   *
   * @param device name for the DMA core
   */
  public static SwapReport use(
      final DmaControl dma, final String device, final String strategy, final SwapOptions options)
      throws InterruptedException {
    final long limit = LIMIT_MS + (options.drainMs() == null ? 0 : options.drainMs());
    try {
      return dma.use(device, strategy, options)
          .toCompletableFuture()
          .get(limit, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof final RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(
          "the swap of " + device + " to " + strategy + " failed: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "the swap of "
              + device
              + " to "
              + strategy
              + " is not over after "
              + limit
              + " ms; see dma:transition",
          e);
    }
  }

  /** What the DMA core knows of a device. */
  public static Optional<DmaDeviceInfo> info(final DmaControl dma, final String device) {
    return dma.devices().stream().filter(info -> info.device().equals(device)).findFirst();
  }
}
