package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.bench.SwiotlbOutcome;
import io.carom.shell.fake.FakeBench;
import io.carom.shell.result.BenchResult;
import io.carom.shell.text.Targets.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTextTest {
  @Test
  void namesEachTargetWithWhatWasMeasured() {
    assertThat(SwiotlbTargets.of(FakeBench.report(1)).all())
        .containsExactly(
            new Target("swiotlb-magazine, no copy, 4 KiB", "<= 25 ns", "24.50", true),
            new Target("swiotlb-magazine, TO_DEVICE 4 KiB", "<= 45 ns", "46.25", false),
            new Target("swiotlb-magazine, TO_DEVICE 4 KiB", "<= 2.75 x hot copy", "2.26", true),
            new Target("swiotlb-magazine, TO_DEVICE 64 KiB", "<= 1.15 x hot copy", "1.04", true),
            new Target("swiotlb-magazine, TO_DEVICE 256 KiB", "<= 1.15 x hot copy", null, null),
            new Target(
                "swiotlb-magazine, 2 threads, the worst",
                ">= 0.95 of the control's ratio",
                "0.92",
                false),
            new Target("a failing map, swiotlb-magazine, 1 GiB", "<= 200 ns", "150.50", true),
            new Target("swiotlb-fixed, no copy, 4 KiB", "<= 82 ns", "79.50", true),
            new Target(
                "swiotlb-growing against fixed, 4KiB x 1 thread",
                ">= 0.97 at the lower end",
                "0.96",
                false),
            new Target("lookup direct, hot, however many live", "<= 1.20 x", "1.15", true),
            new Target("heap, for each map and unmap", "<= 0 B", "0", true));
  }

  @Test
  void isTablesAndAFootLine() {
    final String text =
        BenchText.text(
            new BenchResult(
                new SwiotlbOutcome(FakeBench.report(9), List.of("swiotlb-lent: did not open"))));
    assertThat(text)
        .contains(
            "swiotlb-magazine  ram        4 KiB  TO_DEVICE  no          1       0   24.5   24.5  "
                + " 24.5",
            "mru     1000000       -          -",
            "PROBLEM  swiotlb-lent: did not open\n")
        .endsWith("medians of 5 rounds; JDK 25.0.3, 2 processors, seed 9");
  }
}
