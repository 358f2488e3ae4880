package io.carom.dma;

import org.jspecify.annotations.Nullable;

/**
 * How a swap is to be done.
 *
 * @param extents where the new strategy's bounce memory shall lie, or null for its default
 * @param drainMs drain deadline in milliseconds, or null for the configured one
 * @param policy what happens at the deadline, or null for the configured one
 */
public record SwapOptions(
    @Nullable ExtentKind extents, @Nullable Long drainMs, @Nullable SwapPolicy policy) {
  /** All defaults. */
  public static final SwapOptions DEFAULTS = new SwapOptions(null, null, null);
}
