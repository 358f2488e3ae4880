package io.carom.swiotlb.magazine;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;

/**
 * Configuration of the magazine pool.
 *
 * @param slots slots of 2 KiB that a pool in RAM may have at most, rounded up to whole slot sets;
 *     0: an eighth of low RAM, at least 1 MiB and at most 64 MiB
 * @param areas stripes, rounded up to a power of two; 0: one for each processor
 * @param extentKiB size of extents, and so of the largest mapping, a power of two; 0: by the pool
 * @param idleSlots slots that an idle pool keeps
 * @param idleMs how long an extent is empty before it goes back
 */
public record MagazineSettings(long slots, int areas, int extentKiB, long idleSlots, long idleMs) {
  /** Slots that an idle pool keeps, 4 MiB. */
  public static final long IDLE_SLOTS = 2048;

  /** Milliseconds that an extent is empty before it goes back. */
  public static final long IDLE_MS = 5_000;

  /** Sized by the machine. */
  public static final MagazineSettings DEFAULTS =
      new MagazineSettings(0, 0, 0, IDLE_SLOTS, IDLE_MS);

  /** Most slots that can be configured: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas that can be configured. */
  public static final int MOST_AREAS = 1024;

  /** Smallest extent, a slot set. */
  public static final int LEAST_EXTENT_KIB = Extent.SET_SIZE >> 10;

  /** Largest extent. */
  public static final int MOST_EXTENT_KIB = 4096;

  private static final long LEAST_BYTES = 1L << 20;
  private static final long MOST_AUTOMATIC_BYTES = 64L << 20;
  private static final int SHARE = 8;
  private static final int RAM_EXTENTS = 4; // of a stripe, by default
  private static final int REGION_EXTENTS = 16;
  private static final long MOST_REGION_EXTENT = 1L << 20;

  /** Checks the ranges; the message names value, rule and property. */
  public MagazineSettings {
    within("slots", slots, MOST_SLOTS);
    within("areas", areas, MOST_AREAS);
    within("idleSlots", idleSlots, MOST_SLOTS);
    within("idleMs", idleMs, Integer.MAX_VALUE);
    if (extentKiB != 0
        && (extentKiB < LEAST_EXTENT_KIB
            || extentKiB > MOST_EXTENT_KIB
            || Integer.bitCount(extentKiB) != 1)) {
      throw new IllegalArgumentException(
          "extentKiB="
              + extentKiB
              + " is neither 0 nor a power of two in "
              + LEAST_EXTENT_KIB
              + ".."
              + MOST_EXTENT_KIB);
    }
  }

  private static void within(final String name, final long value, final long most) {
    if (value < 0 || value > most) {
      throw new IllegalArgumentException(name + "=" + value + " is not in 0.." + most);
    }
  }

  /** Most bytes of a pool. */
  long bytes(final PoolSpec spec) {
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
    return Math.max(1, (wanted + Extent.SET_SIZE - 1) >> Extent.SET_SHIFT) << Extent.SET_SHIFT;
  }

  /** Stripes of a pool: each can have a slot set at least. */
  int stripes(final PoolSpec spec) {
    final int wanted =
        Math.max(1, spec.areas() != 0 ? spec.areas() : areas != 0 ? areas : spec.cpus());
    final int rounded = wanted == 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
    final long sets = bytes(spec) >> Extent.SET_SHIFT;
    return (int) Math.min(rounded, Long.highestOneBit(sets));
  }

  /** Bytes of an extent. */
  long extentBytes(final PoolSpec spec) {
    final long share = bytes(spec) / stripes(spec);
    if (extentKiB != 0) {
      return Math.min((long) extentKiB << 10, Math.max(Extent.SET_SIZE, Long.highestOneBit(share)));
    }
    final boolean region = spec.extents() == ExtentKind.DEVICE;
    return Math.clamp(
        Long.highestOneBit(share / (region ? REGION_EXTENTS : RAM_EXTENTS)),
        Extent.SET_SIZE,
        region ? MOST_REGION_EXTENT : (long) MOST_EXTENT_KIB << 10);
  }
}
