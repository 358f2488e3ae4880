package io.carom.dma.core.pool;

/**
 * Which stripe a thread tries first: threads get numbers one after another when they first ask, so
 * that as many threads as there are stripes do not meet. Threads whose ids agree in their low bits
 * share a number, which costs contention and nothing else.
 */
public final class StripeHint {
  private static final int SIZE = 1024;
  private static final int[] NUMBERS = new int[SIZE];
  private static int next;

  private StripeHint() {}

  /** The number of a thread, at least 0; reduce it by the number of stripes. */
  public static int of(final long threadId) {
    final int number = NUMBERS[(int) threadId & (SIZE - 1)];
    return number != 0 ? number - 1 : assign(threadId);
  }

  private static synchronized int assign(final long threadId) {
    final int slot = (int) threadId & (SIZE - 1);
    if (NUMBERS[slot] == 0) {
      NUMBERS[slot] = ++next;
    }
    return NUMBERS[slot] - 1;
  }
}
