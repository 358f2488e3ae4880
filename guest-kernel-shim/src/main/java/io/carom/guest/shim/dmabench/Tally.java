package io.carom.guest.shim.dmabench;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Latencies of one thread, or of all. Average and deviation are those of the kernel's benchmark:
 * sums of whole units of 100 ns and of their squares, and integer arithmetic on them. Not
 * thread-safe.
 */
final class Tally {
  private static final int UNIT_NS = 100;
  private static final long HIGHEST_NS = TimeUnit.MINUTES.toNanos(5);
  private static final int DIGITS = 3;

  private final @Nullable Histogram histogram;
  private long count;
  private long sumNs;
  private long sum;
  private long squares;

  /** With or without percentiles. */
  Tally(final boolean percentiles) {
    histogram = percentiles ? new Histogram(HIGHEST_NS, DIGITS) : null;
  }

  /** Counts one call. */
  void add(final long latencyNs) {
    final long ns = Math.min(Math.max(latencyNs, 0), HIGHEST_NS);
    final long units = ns / UNIT_NS;
    count++;
    sumNs += ns; // 300 s on each of 1024 threads are below 2^49 ns
    sum += units;
    // a thread's units add up to 3 * 10^9 in 300 s, so their squares to less than 2^63
    squares += units * units;
    if (histogram != null) {
      histogram.recordValue(ns);
    }
  }

  /** Counts what another one has counted. */
  void add(final Tally other) {
    count += other.count;
    sumNs += other.sumNs;
    sum += other.sum;
    squares += other.squares;
    if (histogram != null && other.histogram != null) {
      histogram.add(other.histogram);
    }
  }

  long count() {
    return count;
  }

  /** Average, microseconds to one decimal. */
  double averageUs() {
    return average() / 10.0;
  }

  /** Standard deviation, microseconds to one decimal. */
  double deviationUs() {
    final long mean = average();
    return count == 0 ? 0 : root(squares / count - mean * mean) / 10.0;
  }

  /** Average, nanoseconds; null without percentiles. */
  @Nullable Double averageNs() {
    return histogram == null ? null : count == 0 ? 0.0 : (double) sumNs / count;
  }

  /** A percentile, nanoseconds; null without percentiles. */
  @Nullable Long percentileNs(final double percentile) {
    return histogram == null ? null : Long.valueOf(histogram.getValueAtPercentile(percentile));
  }

  /** The slowest, nanoseconds; null without percentiles. */
  @Nullable Long slowestNs() {
    return histogram == null ? null : Long.valueOf(histogram.getMaxValue());
  }

  private long average() {
    return count == 0 ? 0 : sum / count;
  }

  /** The largest integer whose square is not above a value of at most 9 * 10^18. */
  static long root(final long value) {
    long root = (long) Math.sqrt((double) value);
    while (root * root > value) {
      root--;
    }
    while ((root + 1) * (root + 1) <= value) {
      root++;
    }
    return root;
  }
}
