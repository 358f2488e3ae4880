package io.carom.benchmarks.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FigureTest {
  @Test
  void isTheMiddleOfAnOddNumber() {
    assertThat(Figure.of(9, 1, 5)).isEqualTo(new Figure(5, 1, 9));
    assertThat(Figure.of(4)).isEqualTo(new Figure(4, 4, 4));
  }

  @Test
  void isTheMeanOfTheTwoInTheMiddle() {
    assertThat(Figure.of(8, 1, 2, 4)).isEqualTo(new Figure(3, 1, 8));
  }

  @Test
  void leavesTheRoundsAlone() {
    final double[] rounds = {3, 2, 1};
    assertThat(Figure.of(rounds).median()).isEqualTo(2);
    assertThat(rounds).containsExactly(3, 2, 1);
  }

  @Test
  void needsARound() {
    assertThatThrownBy(Figure::of).hasMessage("no rounds");
  }
}
