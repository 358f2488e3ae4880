package io.carom.iommu.pool.slots;

import io.carom.dma.spi.IovaSpace;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What is cleared in a buffer beside the copy. A fresh one's rest always is, and the copy in is
 * always made.
 */
public enum Zeroing {
  /** Nothing else: a device of the domain may see what an earlier mapping of the domain left. */
  NECESSARY_ONLY(IovaSpace.ZERO_NOTHING),
  /** What an earlier mapping left beside the buffer, when a buffer is used again. */
  TAIL_ON_REUSE(IovaSpace.ZERO_REST),
  /** That, and the buffer itself when its mapping ends. */
  ALWAYS(IovaSpace.ZERO_USED);

  private final int policy;

  Zeroing(final int policy) {
    this.policy = policy;
  }

  /** Reads {@code necessary-only}, {@code tail-on-reuse} or {@code always}. */
  public static Zeroing parse(final String text) {
    for (final Zeroing zeroing : values()) {
      if (zeroing.toString().equals(text)) {
        return zeroing;
      }
    }
    throw new IllegalArgumentException(
        "zeroing='"
            + text
            + "' is none of "
            + Arrays.stream(values()).map(Zeroing::toString).collect(Collectors.joining(", ")));
  }

  /** As {@link io.carom.dma.spi.Placement#zero} takes it. */
  int policy() {
    return policy;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
