package io.carom.benchmarks.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IntervalTest {
  /** Ranks as in published tables of the sign test, two-sided at 5 %. */
  @Test
  void hasTheRanksOfTheSignTest() {
    assertThat(Interval.rank(6)).isEqualTo(1);
    assertThat(Interval.rank(9)).isEqualTo(2);
    assertThat(Interval.rank(15)).isEqualTo(4);
    assertThat(Interval.rank(25)).isEqualTo(8);
    assertThat(Interval.rank(41)).isEqualTo(14);
    assertThat(Interval.rank(100)).isEqualTo(40);
  }

  @Test
  void takesItsEndsFromBothSides() {
    final double[] values = IntStream.rangeClosed(1, 15).mapToDouble(i -> 16 - i).toArray();
    assertThat(Interval.of(values)).isEqualTo(new Interval(8, 4, 12));
  }

  @Test
  void coversTheMedianNineteenTimesOfTwenty() {
    final long seed = Long.getLong("carom.seed", 1L);
    final SplittableRandom random = new SplittableRandom(seed);
    final int tries = 4000;
    int covered = 0;
    for (int i = 0; i < tries; i++) {
      // skewed, with a heavy tail, as times are; its median is 1
      final double[] values =
          IntStream.range(0, 25).mapToDouble(j -> Math.exp(2 * random.nextGaussian())).toArray();
      final Interval interval = Interval.of(values);
      covered += interval.low() <= 1 && 1 <= interval.high() ? 1 : 0;
    }
    assertThat((double) covered / tries).as("seed %d", seed).isBetween(0.94, 0.975);
  }

  @Test
  void needsSomeValues() {
    assertThatThrownBy(() -> Interval.of(1, 2, 3, 4, 5)).hasMessage("5 values, at least 6");
  }
}
