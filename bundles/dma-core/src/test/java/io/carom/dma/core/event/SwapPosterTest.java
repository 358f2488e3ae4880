package io.carom.dma.core.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.SwapEvents;
import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.SwapStep;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;

/** Each phase is an event whose properties are the components of a record. */
class SwapPosterTest {
  private static final SwapStep STEP =
      new SwapStep("dev0", "none", "direct", "requested", "adopt", 1, 2, 3, 4.5);

  private final List<Event> posted = new ArrayList<>();
  private final SwapPoster poster =
      new SwapPoster(
          new EventAdmin() {
            @Override
            public void postEvent(final Event event) {
              posted.add(event);
            }

            @Override
            public void sendEvent(final Event event) {
              throw new AssertionError("a swap must not wait for who listens");
            }
          });

  @Test
  void tellsThePhases() {
    poster.started(STEP);
    poster.published(STEP);
    poster.draining(STEP);
    assertThat(posted)
        .extracting(Event::getTopic)
        .containsExactly(SwapEvents.STARTED, SwapEvents.PUBLISHED, SwapEvents.DRAINING)
        .allMatch(topic -> topic.startsWith(SwapEvents.PREFIX));
    final Event last = posted.getLast();
    assertThat(last.getProperty("device")).isEqualTo("dev0");
    assertThat(last.getProperty("live")).isEqualTo(3L);
    assertThat(last.getProperty("graceUs")).isEqualTo(4.5);
    assertThat(last.getProperty("toGeneration")).isEqualTo(2);
  }

  @Test
  void tellsTheReportWithoutWhatIsNull() {
    poster.finished(
        new SwapReport(
            "dev0",
            null,
            null,
            "swiotlb-fixed",
            ExtentKind.DEVICE,
            1,
            2,
            "DRAINED",
            1,
            2,
            3,
            4,
            0,
            6,
            7,
            8,
            "configured",
            9,
            0.5,
            0,
            null));
    final Event event = posted.getFirst();
    assertThat(event.getTopic()).isEqualTo(SwapEvents.FINISHED);
    assertThat(event.containsProperty("from")).isFalse();
    assertThat(event.containsProperty("note")).isFalse();
    // text, as a handler of another bundle need not know the type
    assertThat(event.getProperty("extents")).isEqualTo("device");
    assertThat(event.getProperty("failedMaps")).isEqualTo(8L);
  }

  @Test
  void tellsOfFailuresAndOfStrategiesThatMisbehave() {
    poster.failed(STEP, "strategy direct is not ready");
    poster.quarantined("pool@dev0", "swiotlb-fixed", 3, "returned an address twice");
    assertThat(posted.getFirst().getTopic()).isEqualTo(SwapEvents.FAILED);
    assertThat(posted.getFirst().getProperty("message")).isEqualTo("strategy direct is not ready");
    assertThat(posted.getLast().getTopic()).isEqualTo(SwapEvents.QUARANTINED);
    assertThat(posted.getLast().getProperty("extents")).isEqualTo(3);
  }
}
