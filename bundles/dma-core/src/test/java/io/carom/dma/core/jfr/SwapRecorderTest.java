package io.carom.dma.core.jfr;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.SwapStep;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a flight recording holds of swaps and of maps that failed. */
class SwapRecorderTest {
  private final SwapRecorder recorder = new SwapRecorder();

  @TempDir private Path folder;

  @Test
  void recordsASwapAndItsPhases() throws IOException {
    final List<RecordedEvent> events =
        recorded(
            () -> {
              recorder.started(step(0, 0));
              recorder.published(step(1, 2));
              recorder.draining(step(1, 2));
              recorder.finished(report(1, 2));
            });
    assertThat(events)
        .extracting(event -> event.getEventType().getName())
        .containsExactlyInAnyOrder(
            "io.carom.SwapPhase", "io.carom.SwapPhase", "io.carom.SwapPhase", "io.carom.Swap");
    assertThat(events.stream().filter(event -> event.hasField("phase")))
        .extracting(event -> event.getString("phase"))
        .containsExactlyInAnyOrder("ready", "grace", "drain");
    final RecordedEvent swap =
        events.stream().filter(event -> event.hasField("outcome")).findFirst().orElseThrow();
    assertThat(swap.getString("device")).isEqualTo("dev0");
    assertThat(swap.getString("from")).isEqualTo("none");
    assertThat(swap.getString("outcome")).isEqualTo("DRAINED");
    assertThat(swap.getLong("failedMaps")).isEqualTo(8);
    assertThat(swap.getDuration()).isPositive();
  }

  @Test
  void recordsAReplacementWhileASwapDrains() throws IOException {
    final List<RecordedEvent> events =
        recorded(
            () -> {
              recorder.started(step(0, 0));
              recorder.published(step(1, 2));
              recorder.draining(step(1, 2));
              recorder.finished(report(2, 3)); // the service of generation 2 went
              recorder.finished(report(1, 2));
            });
    assertThat(events.stream().filter(event -> event.hasField("outcome")))
        .extracting(event -> event.getInt("fromGeneration"))
        .containsExactlyInAnyOrder(1, 2);
    assertThat(events.stream().filter(event -> event.hasField("phase"))).hasSize(3);
  }

  @Test
  void recordsFailedMaps() throws IOException {
    final List<RecordedEvent> events = recorded(() -> MapFailureEvent.record("dev0", "FULL", 4096));
    assertThat(events).hasSize(1);
    assertThat(events.getFirst().getString("reason")).isEqualTo("FULL");
    assertThat(events.getFirst().getLong("size")).isEqualTo(4096);
  }

  private List<RecordedEvent> recorded(final Runnable body) throws IOException {
    final Path file = folder.resolve("swap.jfr");
    try (Recording recording = new Recording()) {
      for (final Class<? extends jdk.jfr.Event> type :
          List.of(SwapEvent.class, SwapPhaseEvent.class, MapFailureEvent.class)) {
        recording.enable(type).withoutThreshold();
      }
      recording.start();
      body.run();
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("io.carom."))
        .toList();
  }

  private static SwapStep step(final int from, final int to) {
    return new SwapStep("dev0", "none", "direct", "requested", "adopt", from, to, 3, 0);
  }

  private static SwapReport report(final int from, final int to) {
    return new SwapReport(
        "dev0",
        null,
        null,
        "direct",
        null,
        from,
        to,
        "DRAINED",
        1,
        2,
        3,
        4,
        0,
        6,
        7,
        8,
        "requested",
        9,
        0.5,
        0,
        null);
  }
}
