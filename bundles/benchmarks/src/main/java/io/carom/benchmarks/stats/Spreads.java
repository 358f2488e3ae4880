package io.carom.benchmarks.stats;

import io.carom.bench.SwapBenchReport.Spread;
import java.util.Arrays;

/** Percentiles of a few values, each of which is known. */
public final class Spreads {
  private static final double MEDIAN = 0.5;
  private static final double HIGH = 0.99;

  private Spreads() {}

  /**
   * Of values; by nearest rank, so each is one of them.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Spread of(final double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no values");
    }
    final double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Spread(rank(sorted, MEDIAN), rank(sorted, HIGH), sorted[sorted.length - 1]);
  }

  private static double rank(final double[] sorted, final double share) {
    return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
  }
}
