package io.carom.swiotlb.recycling;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;

/**
 * Configuration of the recycling pools.
 *
 * @param maxSlots most slots of 2 KiB of a device's buffers in RAM; 0: an eighth of low RAM, at
 *     least 1 MiB and at most 64 MiB
 * @param areas stripes, rounded up to a power of two; 0: one for each processor
 * @param classes sizes of buffers
 * @param decayMs how long a buffer is not needed before it goes back, at least
 * @param highPercent of the ceiling: above it mappers that may sleep wait
 * @param lowPercent of the ceiling: below it they go on
 */
public record RecyclingSettings(
    long maxSlots, int areas, SizeClasses classes, long decayMs, int highPercent, int lowPercent) {
  /** Milliseconds that a buffer is not needed before it goes back. */
  public static final long DECAY_MS = 1_000;

  /** Percent of the ceiling above which mappers that may sleep wait. */
  public static final int HIGH_PERCENT = 70;

  /** Percent of the ceiling below which they go on. */
  public static final int LOW_PERCENT = 65;

  /** Sized by the machine. */
  public static final RecyclingSettings DEFAULTS =
      new RecyclingSettings(0, 0, SizeClasses.SLOTS, DECAY_MS, HIGH_PERCENT, LOW_PERCENT);

  /** Most slots that can be configured: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas that can be configured. */
  public static final int MOST_AREAS = 1024;

  private static final long LEAST_BYTES = 1L << 20;
  private static final long MOST_AUTOMATIC_BYTES = 64L << 20;
  private static final int SHARE = 8;
  private static final int ALL = 100;

  /** Checks the ranges; the message names value, rule and property. */
  public RecyclingSettings {
    within("maxSlots", maxSlots, 0, MOST_SLOTS);
    within("areas", areas, 0, MOST_AREAS);
    within("decayMs", decayMs, 1, Integer.MAX_VALUE);
    within("highPercent", highPercent, 1, ALL);
    within("lowPercent", lowPercent, 1, ALL);
    if (lowPercent > highPercent) {
      throw new IllegalArgumentException(
          "lowPercent=" + lowPercent + " is above highPercent=" + highPercent);
    }
  }

  private static void within(
      final String name, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + "=" + value + " is not in " + least + ".." + most);
    }
  }

  /** The ceiling of a pool, in slots. */
  long ceiling(final PoolSpec spec) {
    if (spec.slots() != 0) {
      return spec.slots();
    }
    if (spec.extents() == ExtentKind.DEVICE) {
      return spec.availableBytes() >> Extent.SLOT_SHIFT;
    }
    return maxSlots != 0
        ? maxSlots
        : Math.clamp(spec.availableBytes() / SHARE, LEAST_BYTES, MOST_AUTOMATIC_BYTES)
            >> Extent.SLOT_SHIFT;
  }

  /** Stripes of a pool. */
  int stripes(final PoolSpec spec) {
    final int own = areas != 0 ? areas : spec.cpus();
    final int wanted = Math.max(1, spec.areas() != 0 ? spec.areas() : own);
    return wanted == 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
  }
}
