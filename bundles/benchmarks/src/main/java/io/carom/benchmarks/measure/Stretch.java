package io.carom.benchmarks.measure;

/**
 * What one or more threads did in a stretch of time.
 *
 * @param operations operations that did not fail, of all threads
 * @param failures operations that failed
 * @param threadNs time of all threads together
 * @param perNs operations that did not fail in a nanosecond of all threads
 */
public record Stretch(long operations, long failures, long threadNs, double perNs) {
  /** A batch lasts so long at least: the two looks at the clock around it cost a thousandth. */
  private static final long BATCH_NS = 50_000;

  private static final long MOST_BATCH = 1L << 24;

  /** Runs a loop for a time, on the calling thread. */
  static Stretch time(final Loop loop, final long ns) {
    long operations = 0;
    long failures = 0;
    final long start = System.nanoTime();
    long last = start;
    do {
      final long batch = loop.batch;
      failures += loop.run(batch);
      operations += batch;
      final long now = System.nanoTime();
      if (now - last < BATCH_NS && batch < MOST_BATCH) {
        loop.batch = batch * 2;
      }
      last = now;
    } while (last - start < ns);
    final long took = Math.max(1, last - start);
    final long done = operations - failures;
    return new Stretch(done, failures, took, (double) done / took);
  }

  /** Both. */
  Stretch plus(final Stretch other) {
    return new Stretch(
        operations + other.operations,
        failures + other.failures,
        threadNs + other.threadNs,
        perNs + other.perNs);
  }

  /** Time of one thread for one operation that did not fail; NaN when all failed. */
  public double nsPerOperation() {
    return operations == 0 ? Double.NaN : (double) threadNs / operations;
  }
}
