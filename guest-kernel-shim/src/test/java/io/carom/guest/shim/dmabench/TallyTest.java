package io.carom.guest.shim.dmabench;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TallyTest {
  @Test
  void cutsToUnitsOf100Nanoseconds() {
    final Tally tally = new Tally(false);
    tally.add(99); // 0 units
    tally.add(199); // 1
    tally.add(1_050); // 10
    // sum 11, average 3; squares 101, 101 / 3 - 9 = 24, root 4
    assertThat(tally.averageUs()).isEqualTo(0.3);
    assertThat(tally.deviationUs()).isEqualTo(0.4);
    assertThat(tally.averageNs()).isNull();
    assertThat(tally.percentileNs(50)).isNull();
    assertThat(tally.slowestNs()).isNull();
  }

  @Test
  void addsUpThreads() {
    final Tally one = new Tally(true);
    one.add(100);
    one.add(300);
    final Tally other = new Tally(true);
    other.add(800);
    final Tally all = new Tally(true);
    all.add(one);
    all.add(other);
    assertThat(all.count()).isEqualTo(3);
    assertThat(all.averageUs()).isEqualTo(0.4);
    assertThat(all.averageNs()).isEqualTo(400.0);
    assertThat(all.percentileNs(50)).isEqualTo(300);
    assertThat(all.slowestNs()).isEqualTo(800);
  }

  @Test
  void isZeroWithoutCalls() {
    final Tally tally = new Tally(true);
    assertThat(tally.averageUs()).isZero();
    assertThat(tally.deviationUs()).isZero();
    assertThat(tally.averageNs()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 3, 4, 99, 100, 101, 8_999_999_999_999_999_999L})
  void rootsAreWhole(final long value) {
    assertThat(Tally.root(value)).isEqualTo(BigInteger.valueOf(value).sqrt().longValueExact());
  }

  @Test
  void rootsOfSquaresAreExact() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 10_000; i++) {
      final long root = random.nextLong(1, 3_000_000_000L);
      assertThat(Tally.root(root * root)).as("seed %d", seed).isEqualTo(root);
      assertThat(Tally.root(root * root - 1)).as("seed %d", seed).isEqualTo(root - 1);
    }
  }
}
