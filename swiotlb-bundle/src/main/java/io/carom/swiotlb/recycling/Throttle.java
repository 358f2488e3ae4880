package io.carom.swiotlb.recycling;

/**
 * Makes mappers that may sleep wait: from when more than the high mark is in use until less than
 * the low mark is. So those that cannot wait find room. One for a pool; what stripes use is summed
 * when it is asked, and may be a little old between threads.
 */
final class Throttle {
  private static final int ALL = 100;

  private final long high; // slots times 100
  private final long low;
  private volatile boolean closed;

  Throttle(final long ceiling, final int highPercent, final int lowPercent) {
    high = ceiling * highPercent;
    low = ceiling * lowPercent;
  }

  /** Whether a mapper has to wait while so many slots are in use. */
  boolean holds(final long used) {
    final boolean hold = closed ? used * ALL >= low : used * ALL > high;
    if (hold != closed) {
      closed = hold;
    }
    return hold;
  }
}
