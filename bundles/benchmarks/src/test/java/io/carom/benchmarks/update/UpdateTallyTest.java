package io.carom.benchmarks.update;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.bench.SwapBenchReport.Spread;
import io.carom.bench.SwapBenchReport.Update;
import org.junit.jupiter.api.Test;

class UpdateTallyTest {
  private final UpdateTally tally = new UpdateTally("io.carom.swiotlb");

  @Test
  void keepsWindowsWithoutAnUpdateApart() {
    tally.add("vda", new LoadResult(1000, 0, 0, 2, null), false);
    tally.window(false, 2, 0);
    tally.add("vda", new LoadResult(500, 0, 0, 40, null), true);
    tally.updated(31);
    tally.window(true, 40, 7);
    final Update report = tally.report();
    assertThat(report.count()).isEqualTo(1);
    assertThat(report.verifiedBytes()).isEqualTo(1500);
    assertThat(report.noStrategyMaps()).isEqualTo(7);
    assertThat(report.updateMs()).isEqualTo(new Spread(31, 31, 31));
    assertThat(report.pauseMs()).isEqualTo(new Spread(40, 40, 40));
    assertThat(report.controlPauseMs()).isEqualTo(new Spread(2, 2, 2));
    assertThat(tally.problems()).isEmpty();
    assertThat(tally.goesOn()).isTrue();
  }

  @Test
  void namesTheDeviceThatLostSomething() {
    tally.add("eth1", new LoadResult(0, 0, 3, 1, null), false);
    tally.add("vda", new LoadResult(0, 1, 2, 1, "block 7 names block 9"), true);
    tally.add("vda", new LoadResult(0, 1, 2, 1, "block 7 names block 9"), true);
    assertThat(tally.problems())
        .containsExactly(
            "before the update of io.carom.swiotlb: eth1: 0 corrupt, 3 lost",
            "update of io.carom.swiotlb: vda: 1 corrupt, 2 lost; block 7 names block 9");
    assertThat(tally.report().lostRequests()).isEqualTo(7);
    assertThat(tally.report().corruptBlocks()).isEqualTo(2);
    assertThat(tally.report().pauseMs()).isNull();
  }

  @Test
  void stopsAfterAnUpdateThatFailed() {
    tally.failed("io.carom.swiotlb does not run after its update");
    assertThat(tally.goesOn()).isFalse();
    assertThat(tally.problems()).containsExactly("io.carom.swiotlb does not run after its update");
  }
}
