package io.carom.swiotlb.slots;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;

/**
 * Size of a pool of slots and in how many areas it is divided. An area is one slot set at least:
 * two areas never share one.
 *
 * @param bytes whole slot sets
 * @param areas a power of two, at most one for each slot set
 */
public record PoolShape(long bytes, int areas) {
  /** Most slots that can be configured: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas that can be configured. */
  public static final int MOST_AREAS = 1024;

  private static final long LEAST_BYTES = 1L << 20;
  private static final long MOST_AUTOMATIC_BYTES = 64L << 20;
  private static final int SHARE = 8;

  /**
   * What a pool gets.
   *
   * <p>A pool in a device's region, and a restricted one, takes all of it; a restricted one in one
   * area. Else the {@code swiotlb=} parameter wins over the configuration; where it gives fewer
   * than 128 slots for each area the pool grows, as Linux's does at boot. Without it there are
   * fewer areas then.
   *
   * @param slots configured slots, or 0 for an eighth of the RAM, at least 1 MiB, at most 64 MiB
   * @param areas configured areas, or 0 for one for each processor
   */
  public static PoolShape of(final PoolSpec spec, final long slots, final int areas) {
    final long all = Math.max(Extent.SET_SIZE, spec.availableBytes() & -Extent.SET_SIZE);
    if (spec.restricted()) {
      return new PoolShape(all, 1);
    }
    final int parts =
        powerOfTwo(spec.areas() != 0 ? spec.areas() : areas != 0 ? areas : spec.cpus());
    long bytes;
    if (spec.extents() == ExtentKind.DEVICE) {
      bytes = all;
    } else {
      bytes = bytes(spec, slots);
      final boolean parameter = spec.slots() != 0 || spec.areas() != 0;
      if (parameter) {
        bytes = Math.max(bytes, Math.min(all, (long) parts << Extent.SET_SHIFT));
      }
    }
    final int sets = (int) (bytes >> Extent.SET_SHIFT);
    return new PoolShape(bytes, Math.min(parts, Integer.highestOneBit(sets)));
  }

  private static long bytes(final PoolSpec spec, final long slots) {
    final long wanted = spec.slots() != 0 ? Math.min(spec.slots(), MOST_SLOTS) : slots;
    final long bytes =
        wanted == 0
            ? Math.clamp(spec.availableBytes() / SHARE, LEAST_BYTES, MOST_AUTOMATIC_BYTES)
            : wanted << Extent.SLOT_SHIFT;
    return (bytes + Extent.SET_SIZE - 1) & -Extent.SET_SIZE;
  }

  private static int powerOfTwo(final int wanted) {
    final int parts = Math.clamp(wanted, 1, MOST_AREAS);
    return parts == 1 ? 1 : Integer.highestOneBit(parts - 1) << 1;
  }

  /** Checks configured slots and areas; the message names value, rule and property. */
  public static void check(final long slots, final int areas) {
    if (slots < 0 || slots > MOST_SLOTS) {
      throw new IllegalArgumentException("slots=" + slots + " is not in 0.." + MOST_SLOTS);
    }
    if (areas < 0 || areas > MOST_AREAS) {
      throw new IllegalArgumentException("areas=" + areas + " is not in 0.." + MOST_AREAS);
    }
  }

  /** Largest mapping in slots for a device with a {@code min_align_mask}, in bytes. */
  public static long maxMappingSize(final long minAlignMask) {
    final long lost = (minAlignMask + Extent.SLOT_SIZE - 1) & -Extent.SLOT_SIZE;
    return Math.max(Extent.SLOT_SIZE, Extent.SET_SIZE - lost);
  }
}
