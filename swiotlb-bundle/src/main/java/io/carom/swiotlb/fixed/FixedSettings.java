package io.carom.swiotlb.fixed;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;

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

  /** Most slots that can be configured: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas that can be configured. */
  public static final int MOST_AREAS = 1024;

  private static final long LEAST_BYTES = 1L << 20;
  private static final long MOST_AUTOMATIC_BYTES = 64L << 20;
  private static final int SHARE = 8;

  /** Checks the ranges; the message names value, rule and property. */
  public FixedSettings {
    if (slots < 0 || slots > MOST_SLOTS) {
      throw new IllegalArgumentException("slots=" + slots + " is not in 0.." + MOST_SLOTS);
    }
    if (areas < 0 || areas > MOST_AREAS) {
      throw new IllegalArgumentException("areas=" + areas + " is not in 0.." + MOST_AREAS);
    }
  }

  long bytes(final PoolSpec spec) {
    final long wanted;
    if (spec.extents() == ExtentKind.DEVICE) {
      wanted = spec.availableBytes();
    } else if (slots == 0) {
      wanted = Math.clamp(spec.availableBytes() / SHARE, LEAST_BYTES, MOST_AUTOMATIC_BYTES);
    } else {
      wanted = slots << Extent.SLOT_SHIFT;
    }
    return (wanted + Extent.SET_SIZE - 1) & -Extent.SET_SIZE;
  }

  int areas(final int cpus) {
    final int wanted = Math.max(1, areas == 0 ? cpus : areas);
    return wanted == 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
  }
}
