package io.carom.dma.core.swap;

import io.carom.dma.SwapPolicy;

/**
 * What the core's configuration says about swaps.
 *
 * @param strategy the strategy that devices get
 * @param fallback whether another is taken while that one is absent
 * @param drainMs drain deadline
 * @param policy what happens at the deadline
 * @param watchdogMs how long a strategy may take for one call before its stripe is abandoned
 */
public record Settings(
    String strategy, boolean fallback, long drainMs, SwapPolicy policy, long watchdogMs) {
  /** The defaults of the configuration. */
  public static final Settings DEFAULTS =
      new Settings(Target.SWIOTLB_DEVICE, true, 2_000, SwapPolicy.ADOPT, 500);
}
