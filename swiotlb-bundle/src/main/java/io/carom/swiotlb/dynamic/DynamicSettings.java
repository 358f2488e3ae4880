package io.carom.swiotlb.dynamic;

import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.PoolShape;

/**
 * Configuration of the dynamic strategy.
 *
 * @param slots slots of 2 KiB of the fixed pool that stands behind it, rounded up to whole slot
 *     sets; 0: 512, or one slot set for each area if that is more
 * @param areas areas, rounded up to a power of two; 0: one for each processor
 * @param fitting how the fixed pool is searched
 */
public record DynamicSettings(long slots, int areas, Fitting fitting) {
  /** The smallest pool that Linux makes. */
  public static final DynamicSettings DEFAULTS = new DynamicSettings(0, 0, Fitting.AUTO);

  /** Slots of the smallest pool that Linux makes, {@code IO_TLB_MIN_SLABS}. */
  static final long LEAST_SLOTS = 512;

  /** Checks the ranges; the message names value, rule and property. */
  public DynamicSettings {
    PoolShape.check(slots, areas);
  }
}
