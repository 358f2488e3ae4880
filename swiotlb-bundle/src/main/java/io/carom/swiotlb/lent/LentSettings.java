package io.carom.swiotlb.lent;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;

/**
 * Configuration of the lending pool.
 *
 * @param slots slots of 2 KiB of the range in RAM, rounded up to whole slot sets; 0: a quarter of
 *     low RAM, at least 2 MiB and at most 256 MiB
 * @param areas stripes with a range each, rounded up to a power of two
 * @param lowPercent of the range: when less is free, lent pages are wanted back
 * @param lendPercent of the range: more is never lent
 */
public record LentSettings(long slots, int areas, int lowPercent, int lendPercent) {
  /** Stripes: one, so that there is one range. */
  public static final int AREAS = 1;

  /** Percent of the range that are to be free. */
  public static final int LOW_PERCENT = 10;

  /** Percent of the range that are lent at most: movable to kernel memory as three to one. */
  public static final int LEND_PERCENT = 75;

  /** Most that can be configured to be lent: four to one. */
  public static final int MOST_LEND_PERCENT = 80;

  /** Most that can be configured to be free: it and as much again must leave something to lend. */
  public static final int MOST_LOW_PERCENT = 45;

  /** Sized by the machine. */
  public static final LentSettings DEFAULTS = new LentSettings(0, AREAS, LOW_PERCENT, LEND_PERCENT);

  /** Most slots that can be configured: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas that can be configured. */
  public static final int MOST_AREAS = 1024;

  private static final long LEAST_BYTES = 2L << 20;
  private static final long MOST_AUTOMATIC_BYTES = 256L << 20;
  private static final int SHARE = 4;

  /** Checks the ranges; the message names value, rule and property. */
  public LentSettings {
    within("slots", slots, 0, MOST_SLOTS);
    within("areas", areas, 1, MOST_AREAS);
    within("lowPercent", lowPercent, 1, MOST_LOW_PERCENT);
    within("lendPercent", lendPercent, 0, MOST_LEND_PERCENT);
  }

  private static void within(
      final String name, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + "=" + value + " is not in " + least + ".." + most);
    }
  }

  private long sets(final PoolSpec spec) {
    final long wanted;
    if (spec.slots() != 0) {
      wanted = spec.slots() << Extent.SLOT_SHIFT;
    } else if (spec.extents() == ExtentKind.DEVICE) {
      wanted = spec.availableBytes();
    } else if (slots != 0) {
      wanted = slots << Extent.SLOT_SHIFT;
    } else {
      wanted = Math.clamp(spec.availableBytes() / SHARE, LEAST_BYTES, MOST_AUTOMATIC_BYTES);
    }
    return Math.max(1, (wanted + Extent.SET_SIZE - 1) >> Extent.SET_SHIFT);
  }

  /** Stripes of a pool: each has a slot set at least. */
  int stripes(final PoolSpec spec) {
    final int wanted = spec.areas() != 0 ? spec.areas() : areas;
    final int rounded = wanted == 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
    return (int) Math.min(rounded, Long.highestOneBit(sets(spec)));
  }

  /** Bytes of the range of a stripe. */
  long rangeBytes(final PoolSpec spec) {
    final long stripes = stripes(spec);
    return ((sets(spec) + stripes - 1) / stripes) << Extent.SET_SHIFT;
  }
}
