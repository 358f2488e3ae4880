package io.carom.virtio.device.console;

import static io.carom.virtio.ConsoleDescriptor.CONSOLE_PORT;
import static io.carom.virtio.ConsoleDescriptor.CONTROL_RECEIVE;
import static io.carom.virtio.ConsoleDescriptor.CONTROL_TRANSMIT;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_ADD;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_READY;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_REMOVE;
import static io.carom.virtio.ConsoleDescriptor.PORT_OPEN;
import static io.carom.virtio.ConsoleDescriptor.PORT_READY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.ConsolePort;
import io.carom.virtio.device.kit.Seed;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class MultiportTest {
  private final ConsoleGuest guest = ConsoleGuest.started(4, "console", "data");

  private static byte[] utf8(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void assertSilent() {
    guest.post(CONTROL_RECEIVE, 128);
    assertThat(guest.used(CONTROL_RECEIVE)).isFalse();
  }

  private void added() {
    guest.control(0, DEVICE_READY, 1);
    assertThat(guest.message()).isEqualTo(ControlMessage.of(0, DEVICE_ADD, 1));
    assertThat(guest.message()).isEqualTo(ControlMessage.of(1, DEVICE_ADD, 1));
  }

  @Test
  @DisplayName("console D MULTIPORT: DEVICE_READY is answered by each port that is there")
  void multiportDeviceReady() {
    added();
    assertSilent();
  }

  @Test
  @DisplayName("console D MULTIPORT: PORT_READY of the console: console, size, name, open")
  void multiportConsoleReady() {
    added();
    guest.control(0, PORT_READY, 1);
    assertThat(guest.message()).isEqualTo(ControlMessage.of(0, CONSOLE_PORT, 1));
    assertThat(guest.message()).isEqualTo(ControlMessage.resize(0, 80, 25));
    assertThat(guest.message()).isEqualTo(ControlMessage.name(0, "console"));
    assertThat(guest.message()).isEqualTo(ControlMessage.of(0, PORT_OPEN, 1));
    assertSilent();
  }

  @Test
  @DisplayName("console D MULTIPORT: the wire format of RESIZE and PORT_NAME")
  void multiportWireFormat() {
    assertThat(ControlMessage.resize(3, 0x1234, 0x56))
        .containsExactly(3, 0, 0, 0, 5, 0, 0, 0, 0x34, 0x12, 0x56, 0);
    assertThat(ControlMessage.name(1, "ab")).containsExactly(1, 0, 0, 0, 7, 0, 1, 0, 'a', 'b');
    assertThat(ControlMessage.of(2, PORT_OPEN, 1)).containsExactly(2, 0, 0, 0, 6, 0, 1, 0);
  }

  @Test
  @DisplayName("console D MULTIPORT: a plain port is open to the guest while somebody is attached")
  void multiportHostOpen() throws InterruptedException {
    added();
    guest.control(1, PORT_READY, 1);
    assertThat(guest.message()).isEqualTo(ControlMessage.name(1, "data"));
    final ConsolePort port = guest.device.ports().get(1);
    try (ConsolePort.Attachment end = port.attach()) {
      assertThat(guest.message()).isEqualTo(ControlMessage.of(1, PORT_OPEN, 1));
      assertThat(end.write(utf8("early"), 0, 5)).isEqualTo(5);
      guest.post(4, 64);
      assertThat(guest.used(4)).as("the guest has not opened it").isFalse();
      guest.control(1, PORT_OPEN, 1);
      assertThat(port.guestOpen()).isTrue();
      assertThat(guest.received(4)).isEqualTo(utf8("early"));
      guest.transmit(5, "answer");
      final byte[] into = new byte[16];
      assertThat(end.read(into, Duration.ZERO)).isEqualTo(6);
      assertThat(Arrays.copyOf(into, 6)).isEqualTo(utf8("answer"));
      guest.control(1, PORT_OPEN, 0);
      assertThat(port.guestOpen()).isFalse();
    }
    assertThat(guest.message()).isEqualTo(ControlMessage.of(1, PORT_OPEN, 0));
    assertSilent();
  }

  @Test
  @DisplayName("console D MULTIPORT: opening and closing unseen says nothing, however often")
  void multiportOpenAndCloseUnseen() {
    added();
    guest.control(1, PORT_READY, 1);
    assertThat(guest.message()).isEqualTo(ControlMessage.name(1, "data"));
    for (int i = 0; i < 1000; i++) {
      guest.device.ports().get(1).attach().close();
    }
    assertSilent();
  }

  @Test
  @DisplayName("console D MULTIPORT: ports come and go at run time, numbers are used again")
  void multiportAddAndRemove() throws InterruptedException {
    added();
    final ConsolePort third = guest.device.addPort("late");
    assertThat(third.number()).isEqualTo(2);
    assertThat(guest.message()).isEqualTo(ControlMessage.of(2, DEVICE_ADD, 1));
    guest.open(2);
    assertThat(guest.message()).isEqualTo(ControlMessage.name(2, "late"));
    final ConsolePort.Attachment end = third.attach();
    assertThat(guest.message()).isEqualTo(ControlMessage.of(2, PORT_OPEN, 1));
    guest.transmit(7, "last words");
    guest.device.removePort(2);
    assertThat(guest.message()).isEqualTo(ControlMessage.of(2, DEVICE_REMOVE, 1));
    assertThat(end.read(new byte[64], Duration.ofDays(1))).isEqualTo(10);
    assertThat(end.read(new byte[64], Duration.ofDays(1))).isEqualTo(-1);
    assertThat(guest.device.addPort("again").number()).isEqualTo(2);
    guest.device.addPort("");
    assertThatThrownBy(() -> guest.device.addPort("full"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("room for 4 ports");
    assertThatThrownBy(() -> guest.device.removePort(0)).hasMessageContaining("port 0");
    assertThatThrownBy(() -> guest.device.removePort(9)).hasMessageContaining("no port 9");
    assertThatThrownBy(() -> guest.device.addPort("x".repeat(65))).hasMessageContaining("longer");
  }

  @Test
  @DisplayName("console D MULTIPORT: hostile control messages are ignored, others are served after")
  void multiportHostileMessages() {
    added();
    for (final int port : new int[] {1, 2, 3, 4, 0x7fffffff, 0x80000000, -1}) {
      guest.control(port, PORT_OPEN, 1);
      guest.control(port, PORT_READY, port == 1 ? 0 : 1);
      for (int event = DEVICE_ADD; event < 20; event++) {
        if (event != PORT_READY && event != PORT_OPEN) {
          guest.control(port, event, 0xffff);
        }
      }
      guest.control(port, 0xffff, 0);
    }
    guest.transmit(CONTROL_TRANSMIT, new byte[] {1});
    guest.transmit(CONTROL_TRANSMIT, new byte[] {1, 0, 0, 0, 3, 0, 1});
    guest.post(CONTROL_TRANSMIT, 8);
    assertThat(guest.device.ports().get(1).guestOpen()).as("not ready, not open").isFalse();
    assertThat(guest.driver.needsReset()).isFalse();
    assertSilent();
    guest.control(1, PORT_READY, 1);
    assertThat(guest.received(CONTROL_RECEIVE)).isEqualTo(ControlMessage.name(1, "data"));
  }

  @Test
  @DisplayName("console D MULTIPORT: a driver that takes no answers holds up itself only")
  void multiportFloodIsBounded() throws InterruptedException {
    guest.control(0, DEVICE_READY, 1);
    final byte[] again = ControlMessage.of(0, DEVICE_READY, 1);
    guest.driver.bytes(ConsoleGuest.buffer(CONTROL_TRANSMIT), again);
    int accepted = 0;
    for (int i = 0; i < 100_000; i++) {
      if (guest.queues.get(CONTROL_TRANSMIT).usedIndex() == (accepted + 1 & 0xffff)) {
        accepted++;
        guest.transmit(CONTROL_TRANSMIT, again);
      } else {
        guest.driver.kick(CONTROL_TRANSMIT);
      }
    }
    assertThat(accepted).as("answered into a bounded list").isLessThan(200);
    guest.transmit(1, "alive");
    assertThat(guest.used(1)).isTrue();
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      assertThat(end.read(new byte[64], Duration.ZERO)).isEqualTo(5);
    }
    for (int i = 0; i < 2 * accepted; i++) {
      assertThat(guest.message()).isEqualTo(ControlMessage.of(i % 2, DEVICE_ADD, 1));
    }
  }

  @Test
  @DisplayName("console D MULTIPORT: a control buffer that is too small comes back empty")
  void multiportSmallControlBuffer() {
    guest.control(0, DEVICE_READY, 1);
    assertThat(guest.receive(CONTROL_RECEIVE, 7)).isEmpty();
    assertThat(guest.message()).isEqualTo(ControlMessage.of(0, DEVICE_ADD, 1));
  }

  @Test
  @DisplayName("console D MULTIPORT: random messages of a random driver break nothing")
  void multiportRandomMessages() {
    final Random random = Seed.random("multiportRandomMessages");
    for (int i = 0; i < 5_000; i++) {
      // a chain that still waits is not offered again: that would be another offence
      final boolean control = guest.idle(CONTROL_TRANSMIT);
      final int transmit = 5 + 2 * random.nextInt(3);
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          if (control) {
            guest.control(random.nextInt(5), random.nextInt(9), random.nextInt(3));
          }
        }
        case 2 -> {
          if (control) {
            guest.transmit(CONTROL_TRANSMIT, new byte[1 + random.nextInt(20)]);
          }
        }
        case 3 -> {
          if (guest.idle(CONTROL_RECEIVE)) {
            guest.post(CONTROL_RECEIVE, 1 + random.nextInt(40));
          }
        }
        default -> {
          if (guest.idle(transmit)) {
            guest.transmit(transmit, new byte[1 + random.nextInt(500)]);
          }
        }
      }
    }
    assertThat(guest.driver.needsReset()).isFalse();
    guest.start(io.carom.virtio.VirtioFeatures.CONSOLE_MULTIPORT);
    guest.control(0, DEVICE_READY, 1);
    assertThat(guest.message()).isEqualTo(ControlMessage.of(0, DEVICE_ADD, 1));
  }

  @Test
  @DisplayName("console D save: ports, size and bytes on their way are as before in another device")
  void saveRestore() throws InterruptedException {
    added();
    guest.open(1);
    assertThat(guest.message()).isEqualTo(ControlMessage.name(1, "data"));
    guest.device.addPort("late");
    guest.device.resize(100, 40);
    guest.transmit(5, "unread");
    try (ConsolePort.Attachment end = guest.device.ports().get(1).attach()) {
      end.write(utf8("unsent"), 0, 6);
    }
    final Map<String, String> saved = guest.device.save();
    final ConsoleGuest other = ConsoleGuest.started(4);
    other.device.restore(saved);
    assertThat(other.device.columns()).isEqualTo(100);
    assertThat(other.device.rows()).isEqualTo(40);
    assertThat(other.driver.get(ConsoleGuest.CONFIG, 2)).isEqualTo(100);
    assertThat(other.device.ports())
        .extracting(ConsolePort::name)
        .containsExactly("console", "data", "late");
    assertThat(other.device.ports().get(1).guestOpen()).isTrue();
    assertThat(other.receive(4, 64)).isEqualTo(utf8("unsent"));
    assertThat(other.message()).isEqualTo(ControlMessage.of(2, DEVICE_ADD, 1));
    try (ConsolePort.Attachment end = other.device.ports().get(1).attach()) {
      final byte[] into = new byte[64];
      assertThat(end.read(into, Duration.ZERO)).isEqualTo(6);
      assertThat(Arrays.copyOf(into, 6)).isEqualTo(utf8("unread"));
    }
    assertThat(other.device.save().keySet()).isEqualTo(saved.keySet());
  }

  @Test
  @DisplayName(
      "console D save: a state that cannot be is refused with one line, and changes nothing")
  void saveRefusals() {
    for (final Map<String, String> wrong :
        java.util.List.of(
            Map.of("columns", "0"),
            Map.of("rows", "many"),
            Map.of("ports", "1"),
            Map.of("ports", "0,0"),
            Map.of("ports", "0,4"),
            Map.of("ports", ""),
            Map.of("port.0.toGuest", "!"),
            Map.of("port.0.toGuest", "A".repeat(4096)),
            Map.of("port.0.begun", "-1"),
            Map.of("messages", "AAAA"))) {
      assertThatThrownBy(() -> guest.device.restore(wrong))
          .as("%s", wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .message()
          .doesNotContain("\n");
    }
    assertThat(guest.device.ports()).hasSize(2);
    guest.device.restore(Map.of());
    assertThat(guest.device.ports()).hasSize(1);
  }
}
