package io.carom.dma.core.map;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How the record of a mapping is found by its bus address; the others are there to be measured. */
public enum Lookup {
  /** An index by address: the same few loads however many mappings live. */
  DIRECT,
  /** A list for each device, the mapping that was used last in front. */
  MRU,
  /** A balanced tree of addresses for each device. */
  TREE;

  /**
   * Reads the name of one.
   *
   * @throws IllegalArgumentException when there is none; the message lists the valid ones
   */
  public static Lookup parse(final String text) {
    for (final Lookup lookup : values()) {
      if (lookup.toString().equals(text)) {
        return lookup;
      }
    }
    throw new IllegalArgumentException(
        "unknown lookup '"
            + text
            + "'; valid: "
            + Arrays.stream(values()).map(Lookup::toString).collect(Collectors.joining(", ")));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
