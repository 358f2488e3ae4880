package io.carom.benchmarks.stats;

import java.util.Arrays;

/**
 * A 95 % interval of a median, from the order of the values alone: the sign test turned round. It
 * assumes nothing of their distribution, and rounds that another process disturbed move it little.
 *
 * @param median median of the values
 * @param low lower end
 * @param high upper end
 */
public record Interval(double median, double low, double high) {
  /** Fewest values with which the interval has ends: with five it would be wider than all. */
  public static final int LEAST = 6;

  private static final double TAIL = 0.025;

  /**
   * Of at least {@link #LEAST} values.
   *
   * @throws IllegalArgumentException when there are fewer
   */
  public static Interval of(final double... values) {
    if (values.length < LEAST) {
      throw new IllegalArgumentException(values.length + " values, at least " + LEAST);
    }
    final double[] sorted = values.clone();
    Arrays.sort(sorted);
    final int rank = rank(sorted.length);
    return new Interval(Figure.of(sorted).median(), sorted[rank - 1], sorted[sorted.length - rank]);
  }

  /** The largest k for which fewer than k of n values lie below the median in at most 2.5 %. */
  static int rank(final int n) {
    double term = Math.pow(0.5, n); // of the binomial distribution, for 0 values below
    double below = 0;
    int k = 0;
    while (below + term <= TAIL) {
      below += term;
      term *= (double) (n - k) / (k + 1);
      k++;
    }
    return k;
  }
}
