package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import io.carom.bench.IommuBenchOptions;
import io.carom.bench.IommuOutcome;
import io.carom.bench.IommuReport;
import io.carom.benchmarks.child.IommuMessage;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.plan.IommuTask;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class IommuSuiteTest {
  private static final String CATALOG =
      "{\"catalog\":{\"variants\":[{\"strategy\":\"iommu-pool\","
          + "\"variant\":\"necessary-only\"},{\"strategy\":\"direct\"}],"
          + "\"costs\":{\"name\":\"typical\",\"calibrated\":false}}}";

  private final Gson gson = new Gson();
  private final List<IommuTask> done = new ArrayList<>();

  private IommuOutcome run(final TaskRunner<IommuTask, IommuMessage> runner, final boolean virtual)
      throws InterruptedException {
    return new IommuSuite(runner, line -> {}, () -> 0)
        .run(new IommuBenchOptions("typical", virtual, 3));
  }

  private void say(final Consumer<IommuMessage> sink, final String json) {
    sink.accept(gson.fromJson(json, IommuMessage.class));
  }

  private void answer(final IommuTask task, final Consumer<IommuMessage> sink) throws ChildFailure {
    done.add(task);
    switch (task.kind()) {
      case CATALOG -> say(sink, CATALOG);
      case VIRTUAL_ROWS, ROWS -> {
        final boolean virtual = task.kind() == IommuTask.Kind.VIRTUAL_ROWS;
        for (final IoCase row : task.cases()) {
          sink.accept(gson.fromJson("{\"row\":" + row(row, virtual) + "}", IommuMessage.class));
        }
        if (virtual) {
          say(sink, "{\"idlePages\":0}");
        }
      }
      case HIT -> throw new ChildFailure("no memory");
      case LOOKUP -> say(sink, "{\"lookup\":{\"live\":1,\"hotNs\":9.5}}");
    }
  }

  private String row(final IoCase row, final boolean virtual) {
    return gson.toJson(
        new IommuReport.Row(
            row.strategy(),
            row.variant(),
            row.rw(),
            row.bsBytes(),
            64,
            virtual ? 2 : 1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            virtual ? 7.5 : null,
            0));
  }

  @Test
  void measuresInRealTimeAndTakesWindowsFromVirtualTime() throws InterruptedException {
    final IommuOutcome outcome = run(this::answer, false);
    assertThat(done)
        .extracting(IommuTask::kind)
        .containsExactly(
            IommuTask.Kind.CATALOG,
            IommuTask.Kind.VIRTUAL_ROWS,
            IommuTask.Kind.ROWS,
            IommuTask.Kind.ROWS,
            IommuTask.Kind.HIT,
            IommuTask.Kind.LOOKUP);
    assertThat(outcome.problems()).containsExactly("a warm hit of the pool: no memory");
    final IommuReport report = outcome.report();
    assertThat(report.rows())
        .hasSize(16)
        .allSatisfy(
            row -> {
              assertThat(row.iops()).isEqualTo(1);
              assertThat(row.openWindowUs()).isEqualTo(7.5);
            });
    assertThat(report.breakEvenBytes())
        .containsExactly(
            new IommuReport.BreakEven("direct", null, "read", 4096L),
            new IommuReport.BreakEven("direct", null, "write", 4096L));
    assertThat(report.idlePages()).isZero();
    assertThat(report.lookup()).containsExactly(new IommuReport.Lookup(1, 9.5, null));
    assertThat(report.published()).isEmpty();
    assertThat(report.rounds()).isEqualTo(5);
    assertThat(report.seed()).isEqualTo(3);
  }

  @Test
  void measuresNothingInRealTimeWhenTimeIsVirtual() throws InterruptedException {
    final IommuReport report = run(this::answer, true).report();
    assertThat(done)
        .extracting(IommuTask::kind)
        .containsExactly(IommuTask.Kind.CATALOG, IommuTask.Kind.VIRTUAL_ROWS);
    assertThat(report.rows()).hasSize(16).allMatch(row -> row.iops() == 2);
    assertThat(report.hit()).isEmpty();
    assertThat(report.rounds()).isEqualTo(1);
  }

  @Test
  void saysWhyNothingWasMeasured() {
    assertThatThrownBy(
            () ->
                run(
                    (task, sink) -> {
                      throw new ChildFailure("its JVM does not start: no such file");
                    },
                    true))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the benchmark does not start: its JVM does not start: no such file");
  }
}
