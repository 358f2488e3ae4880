package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.RestartBudget;
import org.junit.jupiter.api.Test;

class RestartBudgetTest {
  private static final long MS = 1_000_000;

  /** Around the place where the clock overflows, too. */
  @Test
  void soManyInAnyWindow() {
    for (final long start : new long[] {0, Long.MAX_VALUE - 5 * MS, -7}) {
      final RestartBudget budget = new RestartBudget(3, 10);
      assertThat(budget.take(start)).isTrue();
      assertThat(budget.take(start + 4 * MS)).isTrue();
      assertThat(budget.take(start + 8 * MS)).isTrue();
      assertThat(budget.take(start + 10 * MS)).as("still within").isFalse();
      assertThat(budget.take(start + 11 * MS)).as("the first is past").isTrue();
      assertThat(budget.take(start + 12 * MS)).isFalse();
      assertThat(budget.take(start + 15 * MS)).as("the second is past").isTrue();
      assertThat(budget.taken()).isEqualTo(5);
    }
  }

  @Test
  void noneAtAll() {
    assertThat(new RestartBudget(0, 1).take(0)).isFalse();
    assertThatThrownBy(() -> new RestartBudget(-1, 1)).hasMessageContaining("-1");
    assertThat(new RestartBudget()).hasToString("3 restarts in 10000 ms");
  }
}
