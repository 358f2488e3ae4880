package io.carom.iommu.pool.slots;

/**
 * Configuration of the pools that needs a new one when it changes.
 *
 * @param slotsPerClass slots of each size class, fewer where the address space is short
 * @param zeroing what is cleared
 * @param evictMs period after one to two of which an idle buffer is given back
 */
public record PoolSettings(int slotsPerClass, Zeroing zeroing, long evictMs) {
  /** Slots of each class, 1020 MiB of addresses at 4 KiB: the series' buffer_pool_size. */
  public static final int SLOTS_PER_CLASS = 1024;

  /** The series' period. */
  public static final long EVICT_MS = 5_000;

  /** As the series. */
  public static final PoolSettings DEFAULTS =
      new PoolSettings(SLOTS_PER_CLASS, Zeroing.NECESSARY_ONLY, EVICT_MS);

  private static final int MOST_SLOTS = 1 << 20;

  /** Checks the ranges; the message names value, rule and property. */
  public PoolSettings {
    within("slotsPerClass", slotsPerClass, 1, MOST_SLOTS);
    within("evictMs", evictMs, 1, Integer.MAX_VALUE);
  }

  private static void within(
      final String name, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + "=" + value + " is not in " + least + ".." + most);
    }
  }
}
