package io.carom.benchmarks.child;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.plan.RowGroup;
import io.carom.benchmarks.plan.Task;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Tiny runs in the test's own JVM: what is measured is there and makes sense; times do not count.
 */
class WorkerTest {
  private static final long UNIT_NS = 1_000_000;
  private static final String FIXED = "swiotlb-fixed";

  private final List<Message> said = new ArrayList<>();

  private static Task task(
      final Task.Kind kind,
      final String strategy,
      final ExtentKind extents,
      final boolean copy,
      final List<RowGroup> groups,
      final List<Long> pools,
      final List<Long> live) {
    return new Task(
        kind, strategy, extents, copy, true, groups, pools, "direct", live, 5, 7, UNIT_NS, 1);
  }

  private static Task rows(final ExtentKind extents, final boolean copy, final RowGroup group) {
    return task(Task.Kind.ROWS, FIXED, extents, copy, List.of(group), List.of(), List.of());
  }

  private List<SwiotlbReport.Row> rows() {
    return said.stream().map(Message::row).filter(Objects::nonNull).toList();
  }

  @Test
  void measuresRowsWithCopies() throws InterruptedException {
    Worker.run(
        rows(ExtentKind.RAM, true, new RowGroup(4096, DmaDirection.TO_DEVICE, 0, true)), said::add);
    assertThat(rows()).extracting(SwiotlbReport.Row::threads).containsExactly(1, 2);
    for (final SwiotlbReport.Row row : rows()) {
      assertThat(row.poolBytes()).isEqualTo(64 << 20);
      assertThat(row.failures()).isZero();
      assertThat(row.min()).isPositive().isLessThanOrEqualTo(row.nsPerOp());
      assertThat(row.max()).isGreaterThanOrEqualTo(row.nsPerOp());
      assertThat(row.opsPerSecond())
          .isCloseTo(
              row.threads() * 1e9 / Objects.requireNonNull(row.nsPerOp()),
              org.assertj.core.data.Percentage.withPercentage(0.1));
      assertThat(row.nsHotCopy()).isPositive();
      assertThat(row.nsSameAddressCopy()).isPositive();
    }
    final SwiotlbReport.Scaling scaling =
        said.stream().map(Message::scaling).filter(Objects::nonNull).findFirst().orElseThrow();
    assertThat(scaling.ratio()).isPositive();
    assertThat(scaling.controlRatio()).isPositive();
    assertThat(said.stream().map(Message::heapBytesPerOp).filter(Objects::nonNull)).hasSize(1);
  }

  @Test
  void measuresRowsWithoutCopiesOnARegion() throws InterruptedException {
    Worker.run(
        rows(ExtentKind.DEVICE, false, new RowGroup(512, DmaDirection.FROM_DEVICE, 50, false)),
        said::add);
    assertThat(rows()).hasSize(2);
    assertThat(rows())
        .allSatisfy(
            row -> {
              assertThat(row.extents()).isEqualTo(ExtentKind.DEVICE);
              assertThat(row.fillPercent()).isEqualTo(50);
              assertThat(row.nsPerOp()).isPositive();
              assertThat(row.nsHotCopy()).isNull();
              assertThat(row.nsSameAddressCopy()).isNull();
            });
    assertThat(said).hasSize(2);
  }

  @Test
  void aRowWhoseMapsAllFailHasNoTime() throws InterruptedException {
    Worker.run(
        rows(ExtentKind.RAM, true, new RowGroup(1 << 20, DmaDirection.TO_DEVICE, 0, true)),
        said::add);
    assertThat(rows()).hasSize(2);
    assertThat(rows())
        .allSatisfy(
            row -> {
              assertThat(row.nsPerOp()).isNull();
              assertThat(row.opsPerSecond()).isNull();
              assertThat(row.failures()).isPositive();
              assertThat(row.nsHotCopy()).isPositive();
              assertThat(row.nsSameAddressCopy()).isNull();
            });
    assertThat(said).extracting(Message::scaling).containsOnlyNulls();
  }

  @Test
  void measuresFailingMaps() throws InterruptedException {
    Worker.run(
        task(Task.Kind.ROWS, FIXED, ExtentKind.RAM, false, List.of(), List.of(8L << 20), List.of()),
        said::add);
    final SwiotlbReport.Failing failing = Objects.requireNonNull(said.getFirst().failing());
    assertThat(failing.poolBytes()).isEqualTo(8 << 20);
    assertThat(failing.sizeBytes()).isEqualTo(256 << 10);
    assertThat(failing.nsPerFailure()).isPositive();
  }

  @Test
  void measuresLookups() throws InterruptedException {
    Worker.run(
        task(Task.Kind.LOOKUP, "", ExtentKind.RAM, false, List.of(), List.of(), List.of(1L, 1001L)),
        said::add);
    assertThat(said)
        .extracting(message -> Objects.requireNonNull(message.lookup()).live())
        .containsExactly(1L, 1001L);
    assertThat(said)
        .allSatisfy(
            message -> {
              assertThat(Objects.requireNonNull(message.lookup()).hotNs()).isPositive();
              assertThat(message.lookup().randomNs()).isPositive();
            });
  }

  @Test
  void measuresPairs() throws InterruptedException {
    Worker.run(
        task(Task.Kind.PAIRS, FIXED, ExtentKind.RAM, true, List.of(), List.of(), List.of()),
        said::add);
    assertThat(said)
        .extracting(message -> Objects.requireNonNull(message.againstFixed()).case_())
        .containsExactly("4KiB x 1 thread", "64KiB x 2 threads", "1MiB block requests");
    assertThat(said)
        .allSatisfy(
            message -> {
              final var pair = Objects.requireNonNull(message.againstFixed());
              assertThat(pair.ratioLow()).isPositive().isLessThanOrEqualTo(pair.ratio());
              assertThat(pair.ratioHigh()).isGreaterThanOrEqualTo(pair.ratio());
            });
  }

  @Test
  void namesTheStrategiesThereAre() {
    assertThatThrownBy(
            () ->
                Worker.run(
                    task(
                        Task.Kind.ROWS,
                        "swiotlb-none",
                        ExtentKind.RAM,
                        true,
                        List.of(new RowGroup(512, DmaDirection.TO_DEVICE, 0, false)),
                        List.of(),
                        List.of()),
                    said::add))
        .hasMessageContaining("unknown strategy 'swiotlb-none'; valid: swiotlb-fixed");
  }
}
