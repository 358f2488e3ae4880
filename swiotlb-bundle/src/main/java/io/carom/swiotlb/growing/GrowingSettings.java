package io.carom.swiotlb.growing;

import io.carom.dma.spi.Extent;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.PoolShape;

/**
 * Configuration of the growing strategy.
 *
 * @param slots slots of 2 KiB that a pool begins with, rounded up to whole slot sets; 0: in RAM an
 *     eighth of it, at least 1 MiB and at most 64 MiB, in a region a quarter of that
 * @param areas areas, rounded up to a power of two; 0: one for each processor
 * @param fitting how the pools are searched
 * @param growBytes size of the pools that are added, rounded up to whole slot sets
 * @param maxSlots ceiling of all slots of a pool in RAM, those for one mapping included; 0: half of
 *     low RAM
 * @param idleMs milliseconds after which an added pool without mappings is given back
 * @param growAtPercent share of the slots in use at which a pool is added; 100: when a map fails
 * @param activePools whether a device's maps look first in pools that the device has mappings in
 */
public record GrowingSettings(
    long slots,
    int areas,
    Fitting fitting,
    long growBytes,
    long maxSlots,
    long idleMs,
    int growAtPercent,
    boolean activePools) {
  /** As large as Linux adds pools. */
  public static final long DEFAULT_GROW_BYTES = 4L << 20;

  /** Largest pool that is added. */
  public static final long MOST_GROW_BYTES = 256L << 20;

  /** Time until an idle pool is given back. */
  public static final long DEFAULT_IDLE_MS = 5_000;

  /** Longest time until an idle pool is given back: a day. */
  public static final long MOST_IDLE_MS = 86_400_000;

  /** When a map fails. */
  public static final int DEFAULT_GROW_AT_PERCENT = 100;

  /** Linux's way, with a ceiling. */
  public static final GrowingSettings DEFAULTS =
      new GrowingSettings(
          0,
          0,
          Fitting.AUTO,
          DEFAULT_GROW_BYTES,
          0,
          DEFAULT_IDLE_MS,
          DEFAULT_GROW_AT_PERCENT,
          false);

  /** Checks the ranges; the message names value, rule and property. */
  public GrowingSettings {
    PoolShape.check(slots, areas);
    within("growBytes", growBytes, Extent.SET_SIZE, MOST_GROW_BYTES);
    within("maxSlots", maxSlots, 0, PoolShape.MOST_SLOTS);
    within("idleMs", idleMs, 1, MOST_IDLE_MS);
    within("growAtPercent", growAtPercent, 1, 100);
    if (maxSlots != 0 && maxSlots < slots) {
      throw new IllegalArgumentException(
          "maxSlots=" + maxSlots + " is less than slots=" + slots + ", which a pool begins with");
    }
  }

  private static void within(
      final String name, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + "=" + value + " is not in " + least + ".." + most);
    }
  }
}
