package io.carom.dma;

import java.util.Locale;

/** Where bounce memory lies. */
public enum ExtentKind {
  /** Pages of guest RAM below a limit. */
  RAM,
  /** The device's own SWIOTLB region. */
  DEVICE,
  /** Pages that the core mapped in the device's IOMMU domain. */
  IOVA;

  /** Reads {@code ram}, {@code device} or {@code iova}. */
  public static ExtentKind parse(final String text) {
    for (final ExtentKind kind : values()) {
      if (kind.toString().equals(text)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("unknown extents '" + text + "'; valid: ram, device, iova");
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
