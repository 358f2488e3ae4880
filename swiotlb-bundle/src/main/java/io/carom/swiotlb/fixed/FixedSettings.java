package io.carom.swiotlb.fixed;

import io.carom.swiotlb.slots.PoolShape;

/**
 * Configuration of the fixed pool.
 *
 * @param slots slots of 2 KiB of a pool in RAM, rounded up to whole slot sets; 0: an eighth of low
 *     RAM, at least 1 MiB and at most 64 MiB
 * @param areas areas, rounded up to a power of two; 0: one for each processor
 * @param fitting where a search begins
 */
public record FixedSettings(long slots, int areas, Fitting fitting) {
  /** Sized by the machine. */
  public static final FixedSettings DEFAULTS = new FixedSettings(0, 0, Fitting.AUTO);

  /** Checks the ranges; the message names value, rule and property. */
  public FixedSettings {
    PoolShape.check(slots, areas);
  }
}
