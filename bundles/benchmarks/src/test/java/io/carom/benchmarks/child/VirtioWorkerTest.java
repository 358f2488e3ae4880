package io.carom.benchmarks.child;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.carom.bench.VirtioReport;
import io.carom.benchmarks.plan.VirtioTask;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny runs in the test's own JVM: what is measured is there and makes sense; times do not count.
 * Both sides of the rings check each chain that they see, and reads are compared byte by byte.
 */
class VirtioWorkerTest {
  private static final long SEED = Long.getLong("carom.seed", 1);
  private static final long UNIT_NS = 500_000;

  private final List<VirtioMessage> said = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(strings = {"split", "packed"})
  void measuresRings(final String layout) throws InterruptedException {
    VirtioWorker.run(new VirtioTask(VirtioTask.Kind.RING, layout, 2, UNIT_NS, SEED), said::add);
    final List<VirtioReport.Ring> rows =
        said.stream().map(VirtioMessage::ring).filter(Objects::nonNull).toList();
    assertThat(rows).hasSize(16).allMatch(row -> row.layout().equals(layout));
    assertThat(
            rows.stream()
                .map(row -> List.of(row.chain(), row.indirect(), row.batch(), row.threads())))
        .doesNotHaveDuplicates();
    for (final VirtioReport.Ring row : rows) {
      assertThat(row.nsPerChain()).isBetween(row.min(), row.max()).isPositive();
      assertThat(row.chainsPerSecond() * row.nsPerChain()).isCloseTo(1e9, within(1e3));
    }
  }

  @Test
  void measuresDisks() throws InterruptedException {
    VirtioWorker.run(new VirtioTask(VirtioTask.Kind.BLK, "", 2, UNIT_NS, SEED), said::add);
    final List<VirtioReport.Blk> rows =
        said.stream().map(VirtioMessage::blk).filter(Objects::nonNull).toList();
    assertThat(rows)
        .extracting(VirtioReport.Blk::strategy)
        .containsExactly(
            "direct",
            "swiotlb-device",
            "swiotlb-magazine",
            "direct",
            "swiotlb-device",
            "swiotlb-magazine");
    assertThat(rows).extracting(VirtioReport.Blk::iodepth).containsExactly(1, 1, 1, 32, 32, 32);
    for (final VirtioReport.Blk row : rows) {
      final boolean bounced = !row.strategy().equals("direct");
      assertThat(row.extents()).isEqualTo(bounced ? ExtentKind.DEVICE : null);
      assertThat(row.addedNsPerRequest() != null).isEqualTo(bounced);
      assertThat(row.ratio() != null).isEqualTo(bounced);
      assertThat(row.iops()).isBetween(row.min(), row.max()).isPositive();
      assertThat(row.p99Us()).isPositive();
      assertThat(row.heapBytesPerRequest()).isNotNegative();
    }
    assertThat(said.stream().map(VirtioMessage::nsHotCopy).filter(Objects::nonNull)).hasSize(1);
  }
}
