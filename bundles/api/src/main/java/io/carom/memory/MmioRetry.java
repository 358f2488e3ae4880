package io.carom.memory;

/**
 * Thrown by an {@link MmioHandler} which answers no more, as another one is to answer in its place:
 * the address map looks the access up again, and finds that one, or the range parked. Nothing of
 * the access was done. Without stack, as it is no failure.
 */
public final class MmioRetry extends RuntimeException {
  /** The only one there needs to be: it has neither stack nor suppressed ones. */
  @SuppressWarnings("StaticAssignmentOfThrowable")
  public static final MmioRetry INSTANCE = new MmioRetry();

  private static final long serialVersionUID = 1;

  private MmioRetry() {
    super("to be done again by who answers now", null, false, false);
  }
}
