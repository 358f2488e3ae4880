package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.SwapEvents;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.event.SwapPoster;
import io.carom.dma.core.swap.Settings;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;

/** Each time extents are set aside an event says so. */
class QuarantineEventTest {
  private final CoreKit kit =
      new CoreKit(
          TestGuest.plain(),
          new Settings("bad", true, 20_000, SwapPolicy.ADOPT, 300).withMisbehaviourLimit(3));
  private final MisbehavingStrategy bad = new MisbehavingStrategy(1);
  private final List<Event> events = new CopyOnWriteArrayList<>();
  private final DmaDevice device;

  QuarantineEventTest() {
    kit.core
        .watches()
        .add(
            new SwapPoster(
                new EventAdmin() {
                  @Override
                  public void postEvent(final Event event) {
                    events.add(event);
                  }

                  @Override
                  public void sendEvent(final Event event) {
                    throw new AssertionError("a swap must not wait for who listens");
                  }
                }));
    kit.add("good", new SlotStrategy(1 << 20, 1), 1);
    kit.add("bad", bad, 2);
    device = kit.regionDevice("dev", 1024, true);
    assertThat(kit.info(device).strategy()).isEqualTo("bad");
  }

  @AfterEach
  void end() {
    bad.hang.countDown();
    kit.close();
  }

  private long map() {
    final long bus = device.map(kit.guest.buffer(4096, 1), 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    return bus;
  }

  private void unmap(final long bus) {
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
  }

  private List<Event> of(final String topic) {
    return events.stream().filter(event -> event.getTopic().equals(topic)).toList();
  }

  private Event only() {
    CoreKit.await(() -> !of(SwapEvents.QUARANTINED).isEmpty(), "the event");
    final List<Event> found = of(SwapEvents.QUARANTINED);
    assertThat(found).hasSize(1);
    assertThat(found.getFirst().getProperty("pool")).isEqualTo("bad@dev");
    assertThat(found.getFirst().getProperty("strategy")).isEqualTo("bad");
    return found.getFirst();
  }

  private static int extents(final Event event) {
    return (Integer) event.getProperty("extents");
  }

  @Test
  void whatOutlivesADrain() {
    final long bus = map();
    kit.use(device, "good", new SwapOptions(null, 30L, SwapPolicy.QUARANTINE));
    final Event event = only();
    assertThat(event.getProperty("message")).isEqualTo("drain deadline");
    assertThat(extents(event)).isEqualTo(kit.core.quarantined().getFirst().extents()).isPositive();
    unmap(bus);
  }

  @Test
  void whatAStrategyHoldsThatHangs() {
    final long bus = map();
    bad.misbehave("dev", MisbehavingStrategy.Entry.TICK, MisbehavingStrategy.Act.HANG);
    final Event event = only();
    assertThat(String.valueOf(event.getProperty("message")))
        .startsWith("stripe 0 abandoned")
        .contains("MisbehavingStrategy.at(");
    assertThat(extents(event)).isEqualTo(kit.core.quarantined().getFirst().extents()).isPositive();
    unmap(bus);
  }

  @Test
  void whatIsInDoubtAndThatTheStrategyWasLeft() {
    final long bus = map();
    bad.answer("dev", (i, r, a) -> a.bounce(0x123_0000, 0x123_0000, 4096));
    device.map(kit.guest.buffer(4096, 1), 4096, DmaDirection.TO_DEVICE, 0);
    final Event event = only();
    assertThat(String.valueOf(event.getProperty("message"))).startsWith("wrong address");
    assertThat(extents(event)).isEqualTo(1);
    CoreKit.await(
        () ->
            of(SwapEvents.FINISHED).stream()
                .anyMatch(e -> "misbehaved".equals(e.getProperty("cause"))),
        "that the other one is in its place");
    unmap(bus);
  }

  @Test
  void nothingIsSaidWhereNothingIsSetAside() {
    kit.use(device, "good", new SwapOptions(null, 30L, SwapPolicy.QUARANTINE));
    kit.use(device, "bad", new SwapOptions(null, 30L, SwapPolicy.QUARANTINE));
    assertThat(of(SwapEvents.QUARANTINED)).isEmpty();
    assertThat(of(SwapEvents.FINISHED)).hasSizeGreaterThanOrEqualTo(2);
  }
}
