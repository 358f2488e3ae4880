package io.carom.benchmarks.guest;

import io.carom.dma.SwapReport;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waits until a strategy is open, which a benchmark begins with. */
final class Opening {
  /** How long a strategy may take to open, in seconds. */
  static final long SECONDS = 30;

  private Opening() {}

  /**
   * Has a device use a strategy.
   *
   * @param swap begins the swap
   * @throws IllegalStateException when the strategy does not open; one line
   */
  static void await(final String strategy, final Supplier<CompletionStage<SwapReport>> swap) {
    try {
      swap.get().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
    } catch (final ExecutionException | TimeoutException | IllegalArgumentException e) {
      final Throwable cause = e.getCause();
      throw new IllegalStateException(
          strategy + " does not open: " + (cause == null ? e : cause).getMessage(), e);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(strategy + " was not waited for", e);
    }
  }
}
