package io.carom.virtio.device.console;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A console of one port whose code is replaced, with bytes on their way in both directions. */
@Timeout(600)
class ReplacedConsoleTest {
  private static final int QUEUE_SIZE = 16;
  private static final int BUFFER_BYTES = 256;
  private static final long RX_RING = 0x10000;
  private static final long TX_RING = 0x20000;
  private static final long RX_DATA = 0x30000;
  private static final long TX_DATA = 0x40000;
  private static final int CHAIN = 32;

  private Slot slot = new Slot(new FakeBus(0), records -> function(records, made()));
  private ConsoleDevice device = made();
  private DriverRing rx = Rings.SPLIT.make(slot.bus, QUEUE_SIZE, RX_RING);
  private DriverRing tx = Rings.SPLIT.make(slot.bus, QUEUE_SIZE, TX_RING);

  private ConsoleDevice made() {
    device =
        new ConsoleDevice(
            new ConsoleOptions("con0", 1, List.of(), 80, 25, QUEUE_SIZE, BUFFER_BYTES),
            Disks.quiet(),
            false);
    return device;
  }

  private static VirtioPciFunction function(
      final io.carom.virtio.DeviceRecords records, final ConsoleDevice type) {
    return new VirtioFunctionBuilder("con0", type)
        .workers(WorkerOptions.manual())
        .errors(Disks.quiet())
        .records(records)
        .build();
  }

  private void start(final Rings rings) {
    slot = new Slot(new FakeBus(0), records -> function(records, made()));
    rx = rings.make(slot.bus, QUEUE_SIZE, RX_RING);
    tx = rings.make(slot.bus, QUEUE_SIZE, TX_RING);
    final Driver driver = slot.driver();
    assertThat(driver.negotiate(rings.features | VirtioFeatures.CONSOLE_SIZE)).isTrue();
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    driver.enable(0, rx);
    driver.enable(1, tx);
    driver.ready();
  }

  private void transmit(final int number, final String text) {
    final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    slot.driver().bytes(TX_DATA + CHAIN * (long) number, bytes);
    tx.desc(number, TX_DATA + CHAIN * (long) number, bytes.length, 0, 0);
    tx.offer(number);
  }

  private static String read(final ConsolePort.Attachment end) throws InterruptedException {
    final StringBuilder text = new StringBuilder();
    final byte[] bytes = new byte[64];
    for (int n = end.read(bytes, Duration.ZERO); n > 0; n = end.read(bytes, Duration.ZERO)) {
      text.append(new String(bytes, 0, n, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  private ConsolePort port() {
    return device.ports().getFirst();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("bytes on their way in either direction are delivered, once")
  void bytesAreKept(final Rings rings) throws InterruptedException {
    start(rings);
    transmit(0, "before ");
    slot.driver().kick(1);
    final ConsolePort.Attachment old = port().attach();
    final byte[] two = new byte[2];
    assertThat(old.read(two, Duration.ZERO)).isEqualTo(2);
    assertThat(two).isEqualTo("be".getBytes(StandardCharsets.UTF_8));
    assertThat(old.write("to you".getBytes(StandardCharsets.UTF_8), 0, 6)).isEqualTo(6);
    final ConsoleDevice before = device;
    slot.detach();
    assertThat(old.read(two, Duration.ZERO)).as("they are the next one's").isZero();
    assertThat(old.write(two, 0, 2)).isZero();
    before.close();
    assertThat(old.read(two, Duration.ZERO)).as("the port is gone").isEqualTo(-1);
    transmit(1, "meanwhile ");
    slot.attach();
    transmit(2, "after");
    slot.driver().kick(1);
    try (ConsolePort.Attachment end = port().attach()) {
      assertThat(read(end)).isEqualTo("fore meanwhile after");
    }
    rx.desc(0, RX_DATA, CHAIN, WRITE, 0);
    rx.offer(0);
    slot.driver().kick(0);
    assertThat(rx.usedIndex()).isEqualTo(1);
    assertThat(rx.usedLength(0)).isEqualTo(6);
    assertThat(slot.driver().bytes(RX_DATA, 6))
        .isEqualTo("to you".getBytes(StandardCharsets.UTF_8));
    assertThat(tx.usedIndex()).isEqualTo(3);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("cut at every step, no byte is lost, and at most one chain's come twice")
  void cutAtEveryStep(final Rings rings) throws InterruptedException {
    boolean cut = true;
    int steps = 0;
    for (; cut; steps++) {
      start(rings);
      transmit(0, "one.");
      transmit(1, "two.");
      transmit(2, "three.");
      slot.driver().function.leaving(false);
      slot.cutAfter(steps);
      slot.driver().kick(1);
      cut = slot.wasCut();
      slot.replace();
      try (ConsolePort.Attachment end = port().attach()) {
        assertThat(read(end))
            .isIn(
                "one.two.three.",
                "one.one.two.three.",
                "one.two.two.three.",
                "one.two.three.three.");
      }
      assertThat(tx.usedIndex()).isEqualTo(3);
      assertThat(slot.driver().status()).isEqualTo(0x0f);
    }
    assertThat(steps).isGreaterThan(5);
  }

  @Test
  @DisplayName(
      "a function that is plugged in again, as the bus was replaced, keeps who is attached")
  void sameCodeGoesOn() throws InterruptedException {
    start(Rings.SPLIT);
    transmit(0, "one ");
    slot.driver().kick(1);
    try (ConsolePort.Attachment end = port().attach()) {
      final VirtioPciFunction same = slot.driver().function;
      slot.bus.revoked = true;
      same.unplugged();
      assertThat(read(end)).isEmpty();
      slot.bus.renew();
      same.plugged(slot.bus);
      transmit(1, "two");
      slot.driver().kick(1);
      assertThat(read(end)).isEqualTo("one two");
    }
  }

  @Test
  @DisplayName("what was kept of code that hangs has no bytes on their way")
  void wordsWithoutBytes() {
    start(Rings.SPLIT);
    transmit(0, "lost");
    slot.driver().kick(1);
    device.resize(100, 40);
    assertThat(slot.kept("con0"))
        .isNotNull()
        .satisfies(
            kept ->
                assertThat(kept.backend())
                    .containsEntry("columns", "100")
                    .doesNotContainKey("port.0.fromGuest"));
  }
}
