package io.carom.benchmarks.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BudgetTest {
  private static final long SECOND = 1_000_000_000;
  private static final List<String> STRATEGIES =
      List.of(
          "swiotlb-fixed",
          "swiotlb-dynamic",
          "swiotlb-growing",
          "swiotlb-recycling",
          "swiotlb-magazine",
          "swiotlb-lent");
  private static final List<Task> TASKS =
      Selection.tasks(STRATEGIES, List.of("direct", "mru", "tree"), false, 1);

  private long now;

  /** Runs the tasks in a world where fixed costs differ from the estimate by a factor. */
  private double seconds(final double slowness, final SplittableRandom random) {
    now = 17 * SECOND;
    final long start = now;
    final Budget budget = new Budget(Selection.SECONDS * SECOND, () -> now);
    for (int i = 0; i < TASKS.size(); i++) {
      final long unit = budget.unit(TASKS.subList(i, TASKS.size()));
      final Cost cost = Cost.of(TASKS.get(i));
      now += (long) (cost.fixedNs() * slowness * random.nextDouble(0.7, 1.3));
      now += (long) (cost.units() * unit * random.nextDouble(1, 1.03)); // batches overrun a little
    }
    return (double) (now - start) / SECOND;
  }

  @Test
  void endsInTimeHoweverTheFixedCostsVary() {
    final long seed = Long.getLong("carom.seed", 1L);
    final SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 200; i++) {
      final double slowness = random.nextDouble(0.5, 1.5);
      assertThat(seconds(slowness, random))
          .as("slowness %s, seed %d", slowness, seed)
          .isLessThan(Selection.SECONDS + 3.5)
          .isGreaterThan(Selection.SECONDS / 2.0);
    }
  }

  @Test
  void shortensWhatFollowsASlowTask() {
    final Budget budget = new Budget(Selection.SECONDS * SECOND, () -> now);
    final long before = budget.unit(TASKS);
    now += 8 * SECOND;
    final long after = budget.unit(TASKS.subList(1, TASKS.size()));
    assertThat(before).isLessThanOrEqualTo(Budget.MOST_UNIT_NS);
    assertThat(after).isLessThan(before).isGreaterThan(Budget.LEAST_UNIT_NS);
    now += 1000 * SECOND;
    assertThat(budget.unit(TASKS.subList(2, TASKS.size()))).isEqualTo(Budget.LEAST_UNIT_NS);
  }

  @Test
  void withoutLimitStretchesAreLong() {
    final Budget budget = new Budget(Long.MAX_VALUE, () -> now);
    now += 1000 * SECOND;
    assertThat(budget.unit(TASKS)).isEqualTo(Budget.MOST_UNIT_NS);
  }
}
