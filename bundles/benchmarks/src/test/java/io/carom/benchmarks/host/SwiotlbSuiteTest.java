package io.carom.benchmarks.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.bench.SwiotlbOutcome;
import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.child.Message;
import io.carom.benchmarks.plan.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class SwiotlbSuiteTest {
  private static final String CATALOG =
      "{\"catalog\":{\"strategies\":[\"swiotlb-fixed\",\"swiotlb-growing\"],"
          + "\"lookups\":[\"direct\"]}}";

  private final Gson gson = new Gson();
  private final List<String> progress = new ArrayList<>();
  private final List<Task> done = new ArrayList<>();

  private SwiotlbOutcome run(final TaskRunner<Task, Message> runner) throws InterruptedException {
    return new SwiotlbSuite(runner, progress::add, () -> 0).run(SwiotlbBenchOptions.DEFAULTS);
  }

  private void say(final Consumer<Message> sink, final String json) {
    sink.accept(gson.fromJson(json, Message.class));
  }

  private void answer(final Task task, final Consumer<Message> sink) throws ChildFailure {
    done.add(task);
    switch (task.kind()) {
      case CATALOG -> say(sink, CATALOG);
      case ROWS -> {
        say(
            sink,
            "{\"row\":{\"strategy\":\""
                + task.strategy()
                + "\",\"extents\":\"RAM\",\"sizeBytes\":512,\"direction\":\"TO_DEVICE\","
                + "\"copy\":false,\"threads\":1,\"fillPercent\":0,\"poolBytes\":4096,"
                + "\"failures\":3}}");
        say(sink, "{\"heapBytesPerOp\":" + (task.copy() ? 0.5 : 2.5) + "}");
        if (task.strategy().equals("swiotlb-growing")) {
          throw new ChildFailure("its JVM ended early with status 134");
        }
      }
      case LOOKUP -> say(sink, "{\"lookup\":{\"core\":\"direct\",\"live\":1,\"hotNs\":9.5}}");
      case PAIRS ->
          say(
              sink,
              "{\"againstFixed\":{\"strategy\":\"swiotlb-growing\",\"case_\":\"x\","
                  + "\"ratio\":1,\"ratioLow\":0.9,\"ratioHigh\":1.1}}");
    }
  }

  @Test
  void aTaskThatFailsCostsNoOther() throws InterruptedException {
    final SwiotlbOutcome outcome = run(this::answer);
    assertThat(done).hasSize(6);
    assertThat(outcome.problems())
        .containsExactly("swiotlb-growing, copied: its JVM ended early with status 134");
    assertThat(progress).contains("FAILED   " + outcome.problems().getFirst());
    final SwiotlbReport report = outcome.report();
    assertThat(report.rows()).hasSize(3);
    assertThat(report.rows().getFirst().nsPerOp()).isNull();
    assertThat(report.rows().getFirst().failures()).isEqualTo(3);
    assertThat(report.lookup()).containsExactly(new SwiotlbReport.Lookup("direct", 1, 9.5, null));
    assertThat(report.againstFixed().getFirst().case_()).isEqualTo("x");
    assertThat(report.heapBytesPerOp()).isEqualTo(2.5);
    assertThat(report.rounds()).isEqualTo(5);
    assertThat(report.jdk()).isEqualTo(Runtime.version().toString());
  }

  @Test
  void saysWhyNothingWasMeasured() {
    assertThatThrownBy(
            () ->
                run(
                    (task, sink) -> {
                      throw new ChildFailure("its JVM does not start: no such file");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the benchmark does not start: its JVM does not start: no such file");
  }

  @Test
  void saysTheFirstFailureWhenEveryRowFailed() {
    assertThatThrownBy(
            () ->
                run(
                    (task, sink) -> {
                      if (task.kind() != Task.Kind.CATALOG) {
                        throw new ChildFailure("no memory");
                      }
                      say(sink, CATALOG);
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("swiotlb-fixed, not copied: no memory");
  }
}
