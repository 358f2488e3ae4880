package io.carom.shell.service;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
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
    return await(dma.use(device, strategy, options), device + " to " + strategy, limit);
  }

  /**
   * Takes a device's swap back and waits until that is over.
   *
   * @param device name for the DMA core
   */
  public static SwapReport cancel(final DmaControl dma, final String device)
      throws InterruptedException {
    final CompletionStage<SwapReport> swap = dma.cancel(device);
    long limit = LIMIT_MS;
    for (final TransitionInfo running : dma.transitions()) {
      if (running.device().equals(device)) {
        limit += Math.max(0, running.deadlineMs());
      }
    }
    return await(swap, device, limit);
  }

  private static SwapReport await(
      final CompletionStage<SwapReport> swap, final String what, final long limit)
      throws InterruptedException {
    try {
      return swap.toCompletableFuture().get(limit, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof final RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("the swap of " + what + " failed: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "the swap of " + what + " is not over after " + limit + " ms; see dma:transition", e);
    }
  }

  /** What the DMA core knows of a device. */
  public static Optional<DmaDeviceInfo> info(final DmaControl dma, final String device) {
    return dma.devices().stream().filter(info -> info.device().equals(device)).findFirst();
  }
}
