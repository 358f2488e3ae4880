package io.carom.benchmarks.storm;

/**
 * Numbers the intervals of a stretch, from one swap to the next, for the threads that note the
 * longest call of each. One thread counts, any thread reads.
 */
final class Intervals {
  private volatile int current;

  Intervals() {}

  /** The number of the interval that goes on now. */
  int current() {
    return current;
  }

  /** Begins the next. By one thread only. */
  void next() {
    final int now = current;
    current = now + 1;
  }

  /** Begins anew with number 0, while nobody reads. */
  void restart() {
    current = 0;
  }
}
