package io.carom.swiotlb.dmb;

/** How pages are handed out. */
public enum DmbScheme {
  /** As the driver of the proposal does: pages for each entry, and whoever comes first has them. */
  PLAIN("plain"),
  /** Small entries share pages of their own queue, and each queue has a reserve. */
  SHARED("shared");

  private final String text;

  DmbScheme(final String text) {
    this.text = text;
  }

  /** Reads {@code plain} or {@code shared}. */
  public static DmbScheme parse(final String text) {
    for (final DmbScheme scheme : values()) {
      if (scheme.text.equals(text)) {
        return scheme;
      }
    }
    throw new IllegalArgumentException("scheme='" + text + "' is none of plain, shared");
  }

  @Override
  public String toString() {
    return text;
  }
}
