package io.carom.swiotlb.fixed;

import io.carom.dma.ExtentKind;

/** Where a search for free slots begins. */
public enum Fitting {
  /** Next fit in RAM, as the kernel; first fit in a device's region, where nobody expects it. */
  AUTO("auto"),
  /** Behind the last mapping: the whole pool is walked, and each buffer is cold. */
  NEXT("next-fit"),
  /** At the beginning: the same few slots are used again, and stay in the caches. */
  FIRST("first-fit"),
  /** The run of this length that was freed last, while it is free; else first fit. */
  LIFO("lifo");

  private final String text;

  Fitting(final String text) {
    this.text = text;
  }

  /** Reads {@code auto}, {@code next-fit}, {@code first-fit} or {@code lifo}. */
  public static Fitting parse(final String text) {
    for (final Fitting fitting : values()) {
      if (fitting.text.equals(text)) {
        return fitting;
      }
    }
    throw new IllegalArgumentException(
        "placement='" + text + "' is none of auto, next-fit, first-fit, lifo");
  }

  /** What it means for a kind of memory. */
  public Fitting on(final ExtentKind kind) {
    if (this != AUTO) {
      return this;
    }
    return kind == ExtentKind.DEVICE ? FIRST : NEXT;
  }

  @Override
  public String toString() {
    return text;
  }
}
