package io.carom.dma;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What happens to mappings that outlive the drain deadline. */
public enum SwapPolicy {
  /** The core finishes them without the old strategy; each emptied extent goes on at once. */
  ADOPT,
  /** Their extents stay out of use until every one of them is unmapped. */
  QUARANTINE,
  /**
   * The device is fenced, see {@link DmaFence}: its outstanding requests end in an I/O error, and
   * what is mapped then is revoked. Where it cannot be fenced in time, as {@link #QUARANTINE}.
   */
  REVOKE;

  /** Reads {@code adopt}, {@code quarantine} or {@code revoke}. */
  public static SwapPolicy parse(final String text) {
    for (final SwapPolicy policy : values()) {
      if (policy.toString().equals(text)) {
        return policy;
      }
    }
    throw new IllegalArgumentException(
        "unknown policy '"
            + text
            + "'; valid: "
            + Arrays.stream(values()).map(SwapPolicy::toString).collect(Collectors.joining(", ")));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
