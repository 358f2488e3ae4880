package io.carom.swiotlb.fixed;

import io.carom.dma.ExtentKind;
import java.util.Locale;

/** Where a search for free slots begins. */
public enum Fitting {
  /** Next fit in RAM, as the kernel; first fit in a device's region, where nobody expects it. */
  AUTO,
  /** Behind the last mapping: the whole pool is walked, and each buffer is cold. */
  NEXT,
  /** At the beginning: the same few slots are used again, and stay in the caches. */
  FIRST;

  /** Reads {@code auto}, {@code next-fit} or {@code first-fit}. */
  public static Fitting parse(final String text) {
    for (final Fitting fitting : values()) {
      if (fitting.toString().equals(text)) {
        return fitting;
      }
    }
    throw new IllegalArgumentException(
        "placement='" + text + "' is none of auto, next-fit, first-fit");
  }

  /** What it means for a kind of memory. */
  Fitting on(final ExtentKind kind) {
    if (this != AUTO) {
      return this;
    }
    return kind == ExtentKind.DEVICE ? FIRST : NEXT;
  }

  @Override
  public String toString() {
    return this == AUTO ? "auto" : name().toLowerCase(Locale.ROOT) + "-fit";
  }
}
