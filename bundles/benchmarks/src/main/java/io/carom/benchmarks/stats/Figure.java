package io.carom.benchmarks.stats;

import java.util.Arrays;

/**
 * What rounds of one measurement came to.
 *
 * @param median median
 * @param min least
 * @param max greatest
 */
public record Figure(double median, double min, double max) {
  /**
   * Of at least one round.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Figure of(final double... rounds) {
    if (rounds.length == 0) {
      throw new IllegalArgumentException("no rounds");
    }
    final double[] sorted = rounds.clone();
    Arrays.sort(sorted);
    return new Figure(median(sorted), sorted[0], sorted[sorted.length - 1]);
  }

  private static double median(final double[] sorted) {
    final int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
