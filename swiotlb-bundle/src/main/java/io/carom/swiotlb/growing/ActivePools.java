package io.carom.swiotlb.growing;

import java.util.Arrays;

/**
 * Which added pools of a stripe each device has mappings in. Of bounded size: {@value #POOLS} pools
 * have a number and {@value #DEVICES} devices are kept apart; others have no active pools, and
 * search all. Guarded by the stripe's lock.
 */
final class ActivePools {
  /** Pools that have a number. */
  static final int POOLS = 64;

  /** Devices that are kept apart. */
  static final int DEVICES = 64;

  private final int[] devices = new int[DEVICES];
  private final long[] active = new long[DEVICES];
  private final int[] counts = new int[DEVICES * POOLS];
  private long numbers;

  ActivePools() {
    Arrays.fill(devices, -1);
  }

  /** A number for a pool that is added, or -1 when there is none left. */
  int number() {
    if (numbers == -1L) {
      return -1;
    }
    final int number = Long.numberOfTrailingZeros(~numbers);
    numbers |= 1L << number;
    return number;
  }

  /** A pool without mappings went. */
  void retire(final int number) {
    if (number >= 0) {
      numbers &= ~(1L << number);
    }
  }

  /** The pools, a bit each, that a device has mappings in. */
  long of(final int device) {
    final int entry = device & (DEVICES - 1);
    return devices[entry] == device ? active[entry] : 0;
  }

  /**
   * A device has a mapping more in a pool.
   *
   * @return the entry to name at its end, or -1 when it is not kept
   */
  int mapped(final int device, final int number) {
    final int entry = device & (DEVICES - 1);
    if (number < 0 || (devices[entry] != device && active[entry] != 0)) {
      return -1; // another device has the entry while it has mappings
    }
    devices[entry] = device;
    counts[entry * POOLS + number]++;
    active[entry] |= 1L << number;
    return entry;
  }

  /** A mapping of an entry's device in a pool ended. */
  void unmapped(final int entry, final int number) {
    if (--counts[entry * POOLS + number] == 0) {
      active[entry] &= ~(1L << number);
    }
  }
}
