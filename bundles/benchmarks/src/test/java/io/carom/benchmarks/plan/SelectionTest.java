package io.carom.benchmarks.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelectionTest {
  private static final List<String> LOOKUPS = List.of("direct", "tree");

  private static List<Task> tasks(final boolean full, final String... strategies) {
    return Selection.tasks(List.of(strategies), LOOKUPS, full, 3);
  }

  @Test
  void mainStrategiesAreMeasuredAtEverySize() {
    final List<Task> tasks = tasks(false, "swiotlb-magazine");
    assertThat(tasks)
        .extracting(Task::title)
        .containsExactly(
            "swiotlb-magazine, not copied",
            "swiotlb-magazine, copied",
            "lookup direct",
            "lookup tree");
    for (final Task task : tasks.subList(0, 2)) {
      assertThat(task.heap()).isTrue();
      assertThat(task.groups())
          .extracting(RowGroup::sizeBytes)
          .containsExactly(512L, 2048L, 4096L, 65_536L, 262_144L, 4096L);
      assertThat(task.groups().getLast().fillPercent()).isEqualTo(90);
      assertThat(task.groups())
          .extracting(RowGroup::direction)
          .containsOnly(DmaDirection.TO_DEVICE);
    }
    assertThat(tasks.getFirst().failingPools()).containsExactly(64L << 20, 1L << 30);
    assertThat(tasks.get(2).live()).containsExactly(1L, 1_000L, 1_000_000L);
    assertThat(tasks).extracting(Task::rounds).allMatch(rounds -> rounds >= 5);
  }

  @Test
  void othersAreMeasuredAtTwoSizesAndSomeInPairs() {
    final List<Task> tasks = tasks(false, "swiotlb-growing", "swiotlb-lent");
    assertThat(tasks)
        .extracting(Task::title)
        .containsExactly(
            "swiotlb-growing, copied",
            "swiotlb-lent, copied",
            "lookup direct",
            "lookup tree",
            "swiotlb-growing against swiotlb-fixed");
    assertThat(tasks.getFirst().groups())
        .extracting(RowGroup::sizeBytes)
        .containsExactly(4096L, 65_536L);
    assertThat(tasks.getLast().pairs()).isGreaterThanOrEqualTo(15);
  }

  @Test
  void theWholeMatrixHasEveryCombinationOnce() {
    final List<Task> tasks = tasks(true, "swiotlb-lent");
    long groups = 0;
    for (final Task task : tasks) {
      groups += task.groups().size();
      assertThat(task.groups()).doesNotHaveDuplicates();
    }
    // sizes x fills x kinds of extents x (bare, and each direction copied)
    assertThat(groups).isEqualTo(5 * 3 * 2 * 4);
    assertThat(tasks)
        .filteredOn(task -> task.extents() == ExtentKind.DEVICE)
        .flatExtracting(Task::groups)
        .noneMatch(RowGroup::scaling);
  }
}
