package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import io.carom.bench.VirtioBenchOptions;
import io.carom.bench.VirtioOutcome;
import io.carom.bench.VirtioReport;
import io.carom.benchmarks.child.VirtioMessage;
import io.carom.benchmarks.plan.Budget;
import io.carom.benchmarks.plan.VirtioPlan;
import io.carom.benchmarks.plan.VirtioTask;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class VirtioSuiteTest {
  private final Gson gson = new Gson();
  private final List<VirtioTask> done = new ArrayList<>();
  private final List<String> progress = new ArrayList<>();

  private VirtioOutcome run(
      final TaskRunner<VirtioTask, VirtioMessage> runner, final VirtioBenchOptions options)
      throws InterruptedException {
    return new VirtioSuite(runner, progress::add, () -> 0).run(options);
  }

  private void say(final Consumer<VirtioMessage> sink, final String json) {
    sink.accept(gson.fromJson(json, VirtioMessage.class));
  }

  private void answer(final VirtioTask task, final Consumer<VirtioMessage> sink)
      throws ChildFailure {
    done.add(task);
    if (task.kind() == VirtioTask.Kind.RING) {
      if (task.layout().equals("packed")) {
        throw new ChildFailure("no memory");
      }
      say(sink, "{\"ring\":{\"layout\":\"split\",\"chain\":1,\"nsPerChain\":40.5}}");
      return;
    }
    say(sink, "{\"blk\":{\"strategy\":\"direct\",\"heapBytesPerRequest\":0.0}}");
    say(sink, "{\"blk\":{\"strategy\":\"swiotlb-device\",\"heapBytesPerRequest\":2.5}}");
    say(sink, "{\"nsHotCopy\":50.5}");
  }

  @Test
  void measuresEachLayoutAndDisksInJvmsOfTheirOwn() throws InterruptedException {
    final VirtioOutcome outcome = run(this::answer, new VirtioBenchOptions(true, true, 3));
    assertThat(done)
        .extracting(VirtioTask::title)
        .containsExactly("split rings", "packed rings", "block devices");
    assertThat(done).allMatch(task -> task.seed() == 3 && task.rounds() >= 7);
    assertThat(done).allMatch(task -> task.unitNs() >= Budget.LEAST_UNIT_NS);
    assertThat(progress).hasSize(4).contains("FAILED   packed rings: no memory");
    assertThat(outcome.problems()).containsExactly("packed rings: no memory");
    final VirtioReport report = outcome.report();
    assertThat(report.ring()).hasSize(1);
    assertThat(report.ring().getFirst().nsPerChain()).isEqualTo(40.5);
    assertThat(report.blk()).hasSize(2);
    assertThat(report.nsHotCopy()).isEqualTo(50.5);
    assertThat(report.heapBytesPerRequest()).isEqualTo(2.5);
    assertThat(report.rounds()).isEqualTo(7);
    assertThat(report.seed()).isEqualTo(3);
  }

  @Test
  void measuresOnlyWhatIsWanted() throws InterruptedException {
    final VirtioReport disks = run(this::answer, new VirtioBenchOptions(false, true, 1)).report();
    assertThat(done).extracting(VirtioTask::kind).containsExactly(VirtioTask.Kind.BLK);
    assertThat(disks.ring()).isEmpty();
    done.clear();
    final VirtioReport rings = run(this::answer, new VirtioBenchOptions(true, false, 1)).report();
    assertThat(done).hasSize(2).allMatch(task -> task.kind() == VirtioTask.Kind.RING);
    assertThat(rings.blk()).isEmpty();
    assertThat(rings.heapBytesPerRequest()).isNull();
  }

  @Test
  void fitsIntoItsTime() {
    final long ns =
        VirtioPlan.tasks(true, true, 1).stream()
            .mapToLong(
                task -> task.cost().fixedNs() + (long) (task.cost().units() * Budget.LEAST_UNIT_NS))
            .sum();
    assertThat(ns).isLessThan(VirtioPlan.SECONDS * 1_000_000_000L);
  }

  @Test
  void saysWhyNothingWasMeasured() {
    assertThatThrownBy(
            () ->
                run(
                    (task, sink) -> {
                      throw new ChildFailure("its JVM does not start: no such file");
                    },
                    VirtioBenchOptions.DEFAULTS))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("split rings: its JVM does not start: no such file");
  }
}
