package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * What a device shall use.
 *
 * @param strategy strategy name, aliases resolved
 * @param extents kind of bounce memory, or null for the first that is legal
 */
public record Target(String strategy, @Nullable ExtentKind extents) {
  /** The alias: the default software IO TLB on the device's own region. */
  public static final String SWIOTLB_DEVICE = "swiotlb-device";

  /** What the alias stands for. */
  public static final String DEFAULT_SWIOTLB = "swiotlb-fixed";

  /** What stands in for that in RAM under {@code swiotlb=dynamic}. */
  public static final String DYNAMIC_SWIOTLB = "swiotlb-dynamic";

  /** Reads a name as users give it. */
  public static Target of(final String name, final @Nullable ExtentKind extents) {
    if (!SWIOTLB_DEVICE.equals(name)) {
      return new Target(name, extents);
    }
    if (extents == ExtentKind.RAM) {
      throw new IllegalArgumentException(
          SWIOTLB_DEVICE + " lies in the device's region; for RAM use " + DEFAULT_SWIOTLB);
    }
    return new Target(DEFAULT_SWIOTLB, ExtentKind.DEVICE);
  }

  @Override
  public String toString() {
    return extents == null ? strategy : strategy + " (" + extents + ")";
  }
}
