package io.carom.swiotlb.recycling;

import io.carom.dma.spi.Extent;
import java.util.Locale;
import java.util.stream.IntStream;

/** The sizes in which buffers are made. The largest, in both cases, is 512 KiB. */
public enum SizeClasses {
  /** Each multiple of 2 KiB. */
  SLOTS(IntStream.rangeClosed(1, 256).map(n -> n << Extent.SLOT_SHIFT).toArray()),
  /**
   * Those of cc-swiotlb: 512 B, 2 KiB, 4 KiB, 16 KiB, 512 KiB. A slot is the smallest unit of
   * placement, so a buffer of 512 B counts as one slot; it is a class of its own all the same.
   */
  CC(new int[] {512, 2048, 4096, 16_384, 524_288});

  @SuppressWarnings("ImmutableEnumChecker") // an array for speed; nobody writes it
  private final int[] bytes;

  SizeClasses(final int[] bytes) {
    this.bytes = bytes;
  }

  /** Reads {@code slots} or {@code cc}. */
  public static SizeClasses parse(final String text) {
    for (final SizeClasses classes : values()) {
      if (classes.toString().equals(text)) {
        return classes;
      }
    }
    throw new IllegalArgumentException("classes='" + text + "' is none of slots, cc");
  }

  /** Number of classes. */
  int count() {
    return bytes.length;
  }

  /** Bytes of a class; they ascend. */
  int bytes(final int sizeClass) {
    return bytes[sizeClass];
  }

  /** Bytes of the largest class. */
  int largest() {
    return bytes[bytes.length - 1];
  }

  /** The smallest class of at least so many bytes, 1 to {@link #largest}. */
  int of(final long size) {
    if (this == SLOTS) {
      return (int) ((size - 1) >> Extent.SLOT_SHIFT);
    }
    int sizeClass = 0;
    while (bytes[sizeClass] < size) {
      sizeClass++;
    }
    return sizeClass;
  }

  /** The largest class of at most so many bytes, at least a page. */
  int within(final long size) {
    int sizeClass = bytes.length - 1;
    while (bytes[sizeClass] > size) {
      sizeClass--;
    }
    return sizeClass;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
