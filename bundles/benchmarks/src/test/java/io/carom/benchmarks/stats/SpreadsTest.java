package io.carom.benchmarks.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.bench.SwapBenchReport.Spread;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpreadsTest {
  @Test
  void takesValuesByNearestRank() {
    assertThat(Spreads.of(7)).isEqualTo(new Spread(7, 7, 7));
    assertThat(Spreads.of(3, 1, 2)).isEqualTo(new Spread(2, 3, 3));
    assertThat(Spreads.of(IntStream.rangeClosed(1, 200).mapToDouble(i -> 201 - i).toArray()))
        .isEqualTo(new Spread(100, 198, 200));
  }

  @Test
  void hasNoneOfNothing() {
    assertThatThrownBy(Spreads::of)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no values");
  }
}
