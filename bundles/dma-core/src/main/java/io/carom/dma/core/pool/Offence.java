package io.carom.dma.core.pool;

/** What a strategy can do wrong. */
public enum Offence {
  /** An exception or an error came out of its code. */
  THREW("threw", false),
  /** It did not return before the watchdog's deadline. */
  HUNG("hung", true),
  /** It placed a buffer where it may not: bytes would have gone astray. */
  WRONG_ADDRESS("wrong address", true),
  /** It placed a buffer where another one is. */
  OCCUPIED("address given twice", true),
  /** It gave no answer, or one that makes no sense. */
  NONSENSE("nonsense", false),
  /** It says that it is full while nothing of it is in use. */
  NEVER_RELEASES("never releases", false);

  private final String text;
  private final boolean atOnce;

  Offence(final String text, final boolean atOnce) {
    this.text = text;
    this.atOnce = atOnce;
  }

  /** Whether one is enough. */
  public boolean atOnce() {
    return atOnce;
  }

  /** Whether what it placed before is in doubt as well, so that its extents are set aside. */
  public boolean doubtful() {
    return this == WRONG_ADDRESS || this == OCCUPIED;
  }

  @Override
  public String toString() {
    return text;
  }
}
