package io.carom.benchmarks.measure;

/** An operation, repeated. Made for one thread, that runs it again and again. */
public abstract class Loop {
  /** How many operations the thread does between two looks at the clock; see {@link Stretch}. */
  long batch = 1;

  /** A loop. */
  protected Loop() {}

  /**
   * Does operations.
   *
   * @return how many of them failed
   */
  protected abstract long run(long operations);
}
