package io.carom.dma.core.swap;

import io.carom.dma.SwapReport;

/**
 * Is told of swaps as they go on. For one swap the calls come one after another, each on the thread
 * that carries it out, under the device's structure lock or none: so they must not wait, and not
 * swap anything.
 */
public interface SwapWatch {
  /** A swap was decided, and begins. */
  default void started(final SwapStep step) {}

  /** New maps go to the new strategy. */
  default void published(final SwapStep step) {}

  /** No map is inside the old strategy any more; its mappings are waited for. */
  default void draining(final SwapStep step) {}

  /**
   * A swap is over; the only call for one that a service's going, or misconduct, made necessary.
   */
  default void finished(final SwapReport report) {}

  /** A swap failed, and nothing was changed. */
  default void failed(final SwapStep step, final String message) {}

  /**
   * Extents were set aside: those of a strategy that misbehaved, or what outlived a drain. Called
   * soon after that, by the core's timer.
   */
  default void quarantined(
      final String pool, final String strategy, final int extents, final String reason) {}
}
