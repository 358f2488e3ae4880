package io.carom.benchmarks.child;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.plan.IommuTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Tiny runs in the test's own JVM, on the machine with its IOMMU: counts are what the strategies
 * promise, and modelled times what the profile says.
 */
class IommuWorkerTest {
  private static final long SEED = Long.getLong("carom.seed", 1);
  private static final long BLOCK = 16_384;

  private final List<IommuMessage> said = new ArrayList<>();

  private IommuReport.Row row(
      final IommuTask.Kind kind, final String strategy, final @Nullable String variant)
      throws InterruptedException {
    said.clear();
    IommuWorker.run(
        new IommuTask(
            kind,
            "series",
            List.of(new IoCase(strategy, variant, false, BLOCK)),
            List.of(),
            2,
            3_000_000,
            SEED),
        said::add);
    return said.stream().map(IommuMessage::row).filter(Objects::nonNull).findFirst().orElseThrow();
  }

  @Test
  void countsWhatStrictAsksAndChargesTheProfile() throws InterruptedException {
    final IommuReport.Row row = row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-strict", "unbatched");
    assertThat(row.mapRequestsPerIo()).isEqualTo(4);
    assertThat(row.unmapRequestsPerIo()).isEqualTo(1);
    assertThat(row.kicksPerIo()).isEqualTo(5);
    assertThat(row.bytesCopiedPerIo()).isZero();
    assertThat(row.openWindowUs()).isZero();
    assertThat(row.pinnedPages()).isEqualTo(64 * 4);
    // a kick, a MAP and a page each; then a kick, an UNMAP, four pages and an invalidation
    assertThat(row.mapNsPerIo()).isEqualTo(4 * (4_500 + 6_380 + 120));
    assertThat(row.unmapNsPerIo()).isEqualTo(4_500 + 4_700 + 4 * 2_800 + 1_000);
    final IommuReport.Row batched = row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-strict", "batched");
    assertThat(batched.mapRequestsPerIo()).isEqualTo(4);
    assertThat(batched.kicksPerIo()).isEqualTo(2);
  }

  @Test
  void measuresTheWindowThatLazyLeavesOpen() throws InterruptedException {
    final IommuReport.Row striped = row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-lazy", "striped");
    assertThat(striped.openWindowUs()).isBetween(1_000.0, 25_000.0);
    final IommuReport.Row single = row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-lazy", "single");
    assertThat(single.openWindowUs()).isBetween(900_000.0, 1_050_000.0);
    assertThat(single.kicksPerIo()).isEqualTo(1);
  }

  @Test
  void asksNothingForAWarmPoolAndHoldsNothingWhenIdle() throws InterruptedException {
    final IommuReport.Row row = row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-pool", "necessary-only");
    assertThat(row.mapRequestsPerIo()).isZero();
    assertThat(row.unmapRequestsPerIo()).isZero();
    assertThat(row.kicksPerIo()).isZero();
    assertThat(row.flushesPerIo()).isZero();
    assertThat(row.bytesCopiedPerIo()).isEqualTo(2 * BLOCK);
    assertThat(row.openWindowUs()).isZero();
    assertThat(row.poolBytes()).isEqualTo(64 * BLOCK);
    assertThat(said.stream().map(IommuMessage::idlePages).filter(Objects::nonNull))
        .containsExactly(0L);
    assertThat(row(IommuTask.Kind.VIRTUAL_ROWS, "iommu-pool", "necessary-only")).isEqualTo(row);
  }

  @Test
  void measuresInRealTime() throws InterruptedException {
    final IommuReport.Row row = row(IommuTask.Kind.ROWS, "iommu-strict", "batched");
    assertThat(row.mapRequestsPerIo()).isEqualTo(4);
    assertThat(row.kicksPerIo()).isEqualTo(2);
    assertThat(row.cpuNsPerIo()).isPositive();
    assertThat(row.iops()).isPositive();
    assertThat(row.openWindowUs()).isNull();
  }
}
