package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import io.carom.bench.SwapBenchOptions;
import io.carom.bench.SwapBenchReport;
import io.carom.bench.SwapOutcome;
import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.SwapPlan;
import io.carom.benchmarks.plan.SwapTask;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class SwapSuiteTest {
  private final Gson gson = new Gson();
  private final List<SwapTask> done = new ArrayList<>();
  private final List<String> progress = new ArrayList<>();

  private SwapOutcome run(
      final TaskRunner<SwapTask, SwapMessage> runner, final SwapBenchOptions options)
      throws InterruptedException {
    return new SwapSuite(runner, progress::add, () -> 0).run(options);
  }

  private void say(final Consumer<SwapMessage> sink, final String json) {
    sink.accept(gson.fromJson(json, SwapMessage.class));
  }

  private void answer(final SwapTask task, final Consumer<SwapMessage> sink) throws ChildFailure {
    done.add(task);
    switch (task.kind()) {
      case OVERHEAD -> say(sink, "{\"swappableNsPerOp\":11.5}");
      case CELLS -> {
        say(sink, "{\"cell\":{\"workers\":1,\"swaps\":90,\"verifiedBytes\":4096}}");
        say(sink, "{\"cell\":{\"workers\":4,\"swaps\":10,\"corruptBlocks\":1,\"lostRequests\":2}}");
      }
      case UPDATES -> {
        say(sink, "{\"update\":{\"bundle\":\"io.carom.swiotlb\",\"count\":3,\"lostRequests\":4}}");
        say(sink, "{\"problem\":\"io.carom.pcibus: it did not start\"}");
        throw new ChildFailure("the container ended");
      }
    }
  }

  @Test
  void sumsUpWhatItsTasksSay() throws InterruptedException {
    final SwapOutcome outcome = run(this::answer, new SwapBenchOptions(50, false, 3));
    assertThat(done)
        .extracting(SwapTask::title)
        .containsExactly("what being swappable costs", "swaps of strategies", "updates of bundles");
    assertThat(done).allMatch(task -> task.seed() == 3 && task.unitNs() >= Budget.LEAST_UNIT_NS);
    assertThat(outcome.problems())
        .containsExactly(
            "io.carom.pcibus: it did not start", "updates of bundles: the container ended");
    assertThat(progress).contains("PROBLEM  io.carom.pcibus: it did not start");
    final SwapBenchReport report = outcome.report();
    assertThat(report.cells()).hasSize(2);
    assertThat(report.updates()).hasSize(1);
    assertThat(report.swappableNsPerOp()).isEqualTo(11.5);
    assertThat(report.total()).isEqualTo(new SwapBenchReport.Total(100, 3, 4096, 1, 6));
    assertThat(report.rounds()).isEqualTo(5);
    assertThat(report.seed()).isEqualTo(3);
  }

  @Test
  void takesItsTimeAndNotMore() {
    assertThat(least(SwapBenchOptions.DEFAULTS)).isLessThan(SwapBenchOptions.SECONDS);
    for (final int seconds : new int[] {25, 100, 400}) {
      assertThat(least(new SwapBenchOptions(seconds, false, 1))).isLessThan(seconds);
    }
  }

  /** Seconds of the shortest run of a plan. */
  private static double least(final SwapBenchOptions options) {
    return SwapPlan.tasks(options).stream()
            .mapToDouble(task -> task.cost().fixedNs() + task.cost().units() * Budget.LEAST_UNIT_NS)
            .sum()
        / 1e9;
  }

  @Test
  void soaksAsLongAsItIsPromised() throws InterruptedException {
    run(this::answer, new SwapBenchOptions(50, true, 1));
    final SwapTask cells = done.get(1);
    final SwapTask updates = done.get(2);
    assertThat(cells.swaps() * SwapTask.WORKERS.size() * SwapTask.OCCUPANCIES.size())
        .isGreaterThanOrEqualTo(10_000);
    assertThat(updates.updates() * SwapPlan.BUNDLES.size()).isGreaterThanOrEqualTo(200);
    assertThat(cells.unitNs()).isEqualTo(Budget.MOST_UNIT_NS);
  }

  @Test
  void updatesEachBundleOnceAtLeast() {
    assertThat(SwapPlan.tasks(new SwapBenchOptions(1, false, 1)).getLast().updates()).isEqualTo(1);
  }

  @Test
  void refusesATimeThatIsNone() {
    assertThatThrownBy(() -> new SwapBenchOptions(0, false, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("seconds=0 is not in 1..3600");
  }

  @Test
  void saysWhyNothingWasMeasured() {
    assertThatThrownBy(
            () ->
                run(
                    (task, sink) -> {
                      throw new ChildFailure("its JVM does not start: no such file");
                    },
                    SwapBenchOptions.DEFAULTS))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("what being swappable costs: its JVM does not start: no such file");
  }
}
