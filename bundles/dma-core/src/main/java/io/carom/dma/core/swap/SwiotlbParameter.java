package io.carom.dma.core.swap;

import io.carom.dma.spi.Extent;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel's parameter {@code swiotlb=} asks for.
 *
 * @param slots slots of 2 KiB of a pool in RAM, whole slot sets, or 0: the strategy's own
 * @param areas areas of a pool in RAM, a power of two, or 0: the strategy's own
 * @param force every device bounces, whatever it reaches
 * @param noforce there is no bounce pool in RAM
 * @param dynamic {@code swiotlb-dynamic} takes the place of {@code swiotlb-fixed} in RAM
 */
public record SwiotlbParameter(
    long slots, int areas, boolean force, boolean noforce, boolean dynamic) {
  /** Nothing is asked for. */
  public static final SwiotlbParameter NONE = new SwiotlbParameter(0, 0, false, false, false);

  /** Most slots: 4 GiB. */
  public static final long MOST_SLOTS = 1L << 21;

  /** Most areas. */
  public static final int MOST_AREAS = 1024;

  private static final String PREFIX = "software IO TLB: ";

  /**
   * What the kernel's log would say when this takes the place of another, as far as it is true
   * here.
   */
  List<String> lines(final SwiotlbParameter before) {
    final List<String> lines = new ArrayList<>();
    if (areas != 0 && areas != before.areas) {
      lines.add(PREFIX + "area num " + areas + ".");
    }
    if (slots != 0 && slots != before.slots) {
      lines.add(
          PREFIX
              + "SWIOTLB bounce buffer size "
              + (slots == (long) areas * Extent.SET_SLOTS ? "roundup" : "adjusted")
              + " to "
              + (slots << Extent.SLOT_SHIFT >> 20)
              + "MB");
    }
    if (noforce && !before.noforce) {
      lines.add(PREFIX + "tearing down default memory pool");
    }
    return lines;
  }
}
