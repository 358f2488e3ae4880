package io.carom.swiotlb.dmb;

import io.carom.swiotlb.slots.PoolShape;

/**
 * Configuration of a pool of pages.
 *
 * @param scheme how pages are handed out
 * @param slots slots of 2 KiB of a pool in RAM, rounded up to whole slot sets; 0: an eighth of low
 *     RAM, at least 1 MiB and at most 64 MiB
 * @param areas areas, rounded up to a power of two; 0: one for each processor
 * @param reservePercent share of the pool that the queues' reserves take together, in the shared
 *     scheme
 */
public record DmbSettings(DmbScheme scheme, long slots, int areas, int reservePercent) {
  /** Default of {@link #reservePercent}. */
  public static final int RESERVE_PERCENT = 25;

  /** Most that can be configured: half of an area is the largest mapping, and must find room. */
  public static final int MOST_RESERVE_PERCENT = 50;

  /** The shared scheme, sized by the machine. */
  public static final DmbSettings DEFAULTS =
      new DmbSettings(DmbScheme.SHARED, 0, 0, RESERVE_PERCENT);

  /** The plain scheme, sized by the machine. */
  public static final DmbSettings PLAIN = new DmbSettings(DmbScheme.PLAIN, 0, 0, RESERVE_PERCENT);

  /** Checks the ranges; the message names value, rule and property. */
  public DmbSettings {
    PoolShape.check(slots, areas);
    if (reservePercent < 0 || reservePercent > MOST_RESERVE_PERCENT) {
      throw new IllegalArgumentException(
          "reservePercent=" + reservePercent + " is not in 0.." + MOST_RESERVE_PERCENT);
    }
  }
}
