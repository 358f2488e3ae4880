package io.carom.benchmarks.child;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.bench.SwapBenchReport;
import io.carom.benchmarks.plan.SwapTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Tiny runs in the test's own JVM: every byte of every mapping is compared across the swaps; times
 * do not count.
 */
class SwapWorkerTest {
  private static final long SEED = Long.getLong("carom.seed", 1);
  private static final long UNIT_NS = 500_000;
  private static final int PAIRS = 3;
  private static final double ENOUGH_PEAKS = 2;

  private final List<SwapMessage> said = new ArrayList<>();

  private void run(final SwapTask.Kind kind, final int rounds, final int swaps)
      throws InterruptedException {
    SwapWorker.run(new SwapTask(kind, rounds, swaps, 0, UNIT_NS, SEED), said::add);
  }

  @Test
  void losesNothingInAnyCell() throws InterruptedException {
    run(SwapTask.Kind.CELLS, 1, 7);
    final List<SwapBenchReport.Cell> cells =
        said.stream().map(SwapMessage::cell).filter(Objects::nonNull).toList();
    assertThat(cells)
        .extracting(cell -> List.of(cell.workers(), cell.occupancyPercent()))
        .containsExactly(
            List.of(1, 10),
            List.of(1, 50),
            List.of(1, 75),
            List.of(4, 10),
            List.of(4, 50),
            List.of(4, 75),
            List.of(16, 10),
            List.of(16, 50),
            List.of(16, 75));
    for (final SwapBenchReport.Cell cell : cells) {
      assertThat(cell.swaps()).isGreaterThanOrEqualTo(7);
      assertThat(cell.corruptBlocks()).isZero();
      assertThat(cell.lostRequests()).isZero();
      assertThat(cell.verifiedBytes()).isPositive();
      if (cell.capacityPeaks() >= ENOUGH_PEAKS) {
        assertThat(cell.failedMaps()).isZero();
      }
      assertThat(cell.capacityPeaks() * cell.occupancyPercent()).isBetween(100.0, 110.0);
      assertThat(cell.throughputRatio())
          .isBetween(cell.throughputRatioMin(), cell.throughputRatioMax())
          .isPositive();
      assertThat(cell.controlMapMaxUs()).isPositive();
      assertThat(List.of(spread(cell.stallUs()), spread(cell.controlStallUs())))
          .allMatch(spread -> spread.p50() <= spread.p99() && spread.p99() <= spread.max());
      assertThat(spread(cell.graceUs()).p50()).isPositive();
      assertThat(spread(cell.drainMs()).p50()).isPositive();
      assertThat(spread(cell.heldMs()).p50()).isPositive();
    }
  }

  private static SwapBenchReport.Spread spread(final SwapBenchReport.@Nullable Spread value) {
    return Objects.requireNonNull(value);
  }

  @Test
  void measuresWhatBeingSwappableCosts() throws InterruptedException {
    run(SwapTask.Kind.OVERHEAD, PAIRS, 0);
    assertThat(said).hasSize(1);
    assertThat(said.getFirst().swappableNsPerOp()).isNotNull().isFinite();
  }

  @Test
  void updatesNoBundleWithoutAContainer() {
    assertThatThrownBy(() -> run(SwapTask.Kind.UPDATES, 0, 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("bundles are updated in a container only");
  }
}
