package io.carom.virtio.device.console;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConsoleDeviceTest {
  private static byte[] utf8(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] random(final int length) {
    final byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static byte[] readAll(final ConsolePort.Attachment end) throws InterruptedException {
    final byte[] into = new byte[4096];
    final int bytes = end.read(into, Duration.ZERO);
    return Arrays.copyOf(into, Math.max(0, bytes));
  }

  private static byte[] history(final ConsolePort port) throws InterruptedException {
    try (ConsolePort.Attachment end = port.attach()) {
      return readAll(end);
    }
  }

  @Test
  @DisplayName("P2 D: a console is type 3, a simple communication device, with two queues")
  void p2_identity() {
    final ConsoleGuest guest = new ConsoleGuest(1);
    assertThat(guest.driver.function.spec().deviceId()).isEqualTo(0x1043);
    assertThat(guest.driver.function.spec().classCode()).isEqualTo(0x078000);
    assertThat(guest.device.queues()).isEqualTo(2);
    assertThat(guest.driver.offered() & 0xffffff)
        .isEqualTo(VirtioFeatures.CONSOLE_SIZE | VirtioFeatures.CONSOLE_EMERG_WRITE);
    final ConsoleGuest several = new ConsoleGuest(4);
    assertThat(several.device.queues()).isEqualTo(10);
    assertThat(several.driver.offered() & VirtioFeatures.CONSOLE_MULTIPORT).isNotZero();
  }

  @Test
  @DisplayName("V1 D: the configuration can be read before FEATURES_OK")
  void v1_configuration() {
    final ConsoleGuest guest = new ConsoleGuest(4);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG, 2)).isEqualTo(80);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG + 2, 2)).isEqualTo(25);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG + 4, 4)).isEqualTo(4);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG + 8, 4)).isZero();
  }

  @Test
  @DisplayName("console D: what either side writes the other one reads")
  void consoleBothDirections() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    final ConsolePort port = guest.device.ports().getFirst();
    try (ConsolePort.Attachment end = port.attach()) {
      guest.transmit(1, "login: ");
      assertThat(guest.used(1)).isTrue();
      assertThat(guest.queues.get(1).usedLength(0)).as("nothing was written").isZero();
      assertThat(readAll(end)).isEqualTo(utf8("login: "));
      assertThat(end.write(utf8("root\n"), 0, 5)).isEqualTo(5);
      assertThat(guest.receive(0, 64)).isEqualTo(utf8("root\n"));
      guest.post(0, 3);
      assertThat(end.write(utf8("halt"), 0, 4)).isEqualTo(4);
      assertThat(guest.received(0)).as("no more than the buffer holds").isEqualTo(utf8("hal"));
      assertThat(guest.receive(0, 64)).isEqualTo(utf8("t"));
    }
    assertThat(port.received()).isEqualTo(7);
    assertThat(port.sent()).isEqualTo(9);
  }

  @Test
  @DisplayName("R2 D: transmitted bytes are the same wherever they are cut into buffers")
  void r2_anyFraming() throws InterruptedException {
    final byte[] text = random(40);
    for (int first = 1; first < 39; first++) {
      for (int second = first + 1; second < 40; second++) {
        final ConsoleGuest guest = ConsoleGuest.started(1);
        final DriverQueue queue = guest.queues.get(1);
        final long at = ConsoleGuest.buffer(1);
        guest.driver.bytes(at, text);
        queue.desc(0, at, first, NEXT, 1);
        queue.desc(1, at + first, second - first, NEXT, 2);
        queue.desc(2, at + second, 40L - second, 0, 0);
        queue.offer(0);
        guest.driver.kick(1);
        assertThat(history(guest.device.ports().getFirst()))
            .as("cut at %d and %d", first, second)
            .isEqualTo(text);
      }
    }
  }

  @Test
  @DisplayName("R2 D: a control message is understood wherever it is cut into buffers")
  void r2_controlMessageInAnyFraming() {
    for (int cut = 1; cut < ConsoleDescriptor.CONTROL_SIZE; cut++) {
      final ConsoleGuest guest = ConsoleGuest.started(2);
      final DriverQueue queue = guest.queues.get(ConsoleDescriptor.CONTROL_TRANSMIT);
      final long at = ConsoleGuest.buffer(ConsoleDescriptor.CONTROL_TRANSMIT);
      guest.driver.bytes(at, ControlMessage.of(0, ConsoleDescriptor.DEVICE_READY, 1));
      queue.desc(0, at, cut, NEXT, 1);
      queue.desc(1, at + cut, ConsoleDescriptor.CONTROL_SIZE - cut, 0, 0);
      queue.offer(0);
      guest.driver.kick(ConsoleDescriptor.CONTROL_TRANSMIT);
      assertThat(guest.message())
          .as("cut at %d", cut)
          .isEqualTo(ControlMessage.of(0, ConsoleDescriptor.DEVICE_ADD, 1));
    }
  }

  @Test
  @DisplayName("console D: unread output keeps the guest going, its last bytes are kept")
  void consoleDetachedKeepsTheLastBytes() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    final byte[] text = random(10 * ConsoleGuest.BUFFER_BYTES + 17);
    for (int at = 0; at < text.length; at += 100) {
      guest.transmit(1, Arrays.copyOfRange(text, at, Math.min(text.length, at + 100)));
      assertThat(guest.used(1)).isTrue();
    }
    final ConsolePort port = guest.device.ports().getFirst();
    assertThat(history(port))
        .isEqualTo(Arrays.copyOfRange(text, text.length - ConsoleGuest.BUFFER_BYTES, text.length));
    assertThat(port.dropped()).isEqualTo(text.length - ConsoleGuest.BUFFER_BYTES);
  }

  @Test
  @DisplayName("console D: a guest that outruns an attached reader waits, and no byte is lost")
  void consoleAttachedLosesNothing() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    final byte[] text = random(5 * ConsoleGuest.BUFFER_BYTES + 3);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      guest.transmit(1, text); // one chain, longer than what the host holds
      final byte[] read = new byte[text.length];
      int at = 0;
      while (at < text.length) {
        assertThat(guest.queues.get(1).usedIndex()).as("not done yet").isZero();
        final byte[] piece = new byte[100];
        final int bytes = end.read(piece, Duration.ZERO);
        assertThat(bytes).isPositive();
        System.arraycopy(piece, 0, read, at, bytes);
        at += bytes;
        if (text.length - at <= ConsoleGuest.BUFFER_BYTES) {
          break;
        }
      }
      assertThat(guest.used(1)).as("the rest fits").isTrue();
      final byte[] rest = readAll(end);
      System.arraycopy(rest, 0, read, at, rest.length);
      assertThat(at + rest.length).isEqualTo(text.length);
      assertThat(read).isEqualTo(text);
      assertThat(guest.device.ports().getFirst().dropped()).isZero();
    }
  }

  @Test
  @DisplayName("console D: a guest held up goes on when its reader detaches")
  void consoleDetachingFreesTheGuest() {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      guest.transmit(1, random(3 * ConsoleGuest.BUFFER_BYTES));
      assertThat(guest.queues.get(1).usedIndex()).isZero();
      assertThat(end.write(new byte[0], 0, 0)).isZero();
    }
    assertThat(guest.used(1)).isTrue();
  }

  @Test
  @DisplayName("console D: a chain that shrinks while it waits does no harm")
  void consoleChainChangesWhileItWaits() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      guest.transmit(1, random(2 * ConsoleGuest.BUFFER_BYTES));
      guest.queues.get(1).desc(0, ConsoleGuest.buffer(1), 7, 0, 0);
      assertThat(readAll(end)).hasSize(ConsoleGuest.BUFFER_BYTES);
      assertThat(guest.used(1)).isTrue();
      assertThat(guest.driver.needsReset()).isFalse();
      guest.transmit(1, "next");
      assertThat(readAll(end)).isEqualTo(utf8("next"));
    }
  }

  @Test
  @DisplayName("console D: the host's input is bounded, the rest is not taken")
  void consoleInputIsBounded() {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      assertThat(end.write(random(1000), 0, 1000)).isEqualTo(ConsoleGuest.BUFFER_BYTES);
      assertThat(end.write(random(1), 0, 1)).isZero();
      guest.receive(0, 10);
      assertThat(end.write(random(1000), 0, 1000)).isEqualTo(10);
    }
  }

  @Test
  @DisplayName("console D EMERG_WRITE: works on an unconfigured device, in any width, and unread")
  void consoleEmergencyWrite() throws InterruptedException {
    final ConsoleGuest guest = new ConsoleGuest(1);
    guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_EMERGENCY, 4, 'o');
    guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_EMERGENCY, 1, 'o');
    guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_EMERGENCY, 2, 0x1200 | 'p');
    guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_COLS, 2, 7);
    guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_MAX_PORTS, 4, 7);
    assertThat(guest.driver.status()).isZero();
    assertThat(history(guest.device.ports().getFirst())).isEqualTo(utf8("oop"));
    assertThat(guest.driver.get(ConsoleGuest.CONFIG, 2)).as("read-only").isEqualTo(80);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG + 8, 4)).as("write-only").isZero();
    for (int i = 0; i < 1000; i++) {
      guest.driver.set(ConsoleGuest.CONFIG + ConsoleDescriptor.CONFIG_EMERGENCY, 4, 'x');
    }
    assertThat(history(guest.device.ports().getFirst())).hasSize(ConsoleGuest.BUFFER_BYTES);
  }

  @Test
  @DisplayName("console D SIZE: a resize changes the configuration, and says so")
  void consoleResize() {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    guest.driver.bus.msix = true;
    final long generation = guest.driver.get(0x15, 1);
    guest.device.resize(132, 43);
    assertThat(guest.driver.bus.messages).containsExactly(0);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG, 2)).isEqualTo(132);
    assertThat(guest.driver.get(ConsoleGuest.CONFIG + 2, 2)).isEqualTo(43);
    assertThat(guest.driver.get(0x15, 1)).isNotEqualTo(generation);
    assertThatThrownBy(() -> guest.device.resize(0, 25)).hasMessageContaining("columns=0");
    assertThatThrownBy(() -> guest.device.resize(80, 65536)).hasMessageContaining("rows=65536");
  }

  @Test
  @DisplayName("console D: without MULTIPORT accepted only port 0 lives, and control is silent")
  void consoleMultiportNotAccepted() throws InterruptedException {
    final ConsoleGuest guest = new ConsoleGuest(2, "", "data");
    guest.start(0);
    guest.transmit(1, "here");
    guest.control(0, ConsoleDescriptor.DEVICE_READY, 1);
    guest.transmit(5, "not here");
    assertThat(history(guest.device.ports().getFirst())).isEqualTo(utf8("here"));
    assertThat(history(guest.device.ports().getLast())).isEmpty();
    guest.post(ConsoleDescriptor.CONTROL_RECEIVE, 64);
    assertThat(guest.used(ConsoleDescriptor.CONTROL_RECEIVE)).isFalse();
  }

  @Test
  @DisplayName("S6 D: after a reset nothing of before is written, and the console serves again")
  void s6_reset() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(2, "", "data");
    guest.post(0, 64);
    guest.driver.status(0);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      assertThat(end.write(utf8("late"), 0, 4)).isEqualTo(4);
      assertThat(guest.driver.bytes(ConsoleGuest.buffer(0), 4)).isEqualTo(new byte[4]);
      guest.start(0);
      assertThat(guest.receive(0, 64)).isEqualTo(utf8("late"));
      guest.transmit(1, "again");
      assertThat(readAll(end)).isEqualTo(utf8("again"));
    }
  }

  @Test
  @DisplayName("console D: an end is opened once; a device that goes ends its reader")
  void consoleEnds() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    final ConsolePort port = guest.device.ports().getFirst();
    final ConsolePort.Attachment end = port.attach();
    assertThatThrownBy(port::attach)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("attached already");
    end.close();
    end.close();
    assertThat(end.read(new byte[8], Duration.ofDays(1))).isEqualTo(-1);
    final ConsolePort.Attachment second = port.attach();
    assertThat(second.read(new byte[8], Duration.ofMillis(1))).isZero();
    end.close();
    assertThat(port.attached()).as("an old end closes nothing").isTrue();
    guest.transmit(1, "bye");
    guest.device.close();
    assertThat(readAll(second)).isEqualTo(utf8("bye"));
    assertThat(second.read(new byte[8], Duration.ofDays(1))).isEqualTo(-1);
    assertThatThrownBy(() -> second.write(new byte[1], 0, 1)).hasMessageContaining("gone");
    second.close();
    assertThatThrownBy(port::attach).hasMessageContaining("gone");
  }

  @Test
  void aReaderWaitsForWhatAThreadBrings() throws InterruptedException {
    final ConsoleGuest guest =
        new ConsoleGuest(
            new ConsoleDevice(
                new ConsoleOptions("con0", 1, java.util.List.of(), 80, 25, 16, 256),
                io.carom.virtio.device.kit.Disks.quiet(),
                true));
    guest.start(0);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      for (int i = 0; i < 200; i++) {
        guest.transmit(1, "line " + i + "\n");
        final StringBuilder text = new StringBuilder();
        final byte[] piece = new byte[64];
        while (text.indexOf("\n") < 0) {
          final int bytes = end.read(piece, Duration.ofMinutes(1));
          assertThat(bytes).isPositive();
          text.append(new String(piece, 0, bytes, StandardCharsets.UTF_8));
        }
        assertThat(text.toString()).isEqualTo("line " + i + "\n");
      }
    }
    guest.driver.function.unplugged();
    guest.device.close();
  }

  @Test
  @DisplayName("console D: hostile buffers cost the device a reset, and the reset mends it")
  void consoleHostileBuffers() throws InterruptedException {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      end.write(utf8("x"), 0, 1);
      guest.transmit(0, "readable where it should be writable");
      assertThat(guest.driver.needsReset()).isTrue();
      guest.start(0);
      assertThat(guest.driver.needsReset()).isFalse();
      assertThat(guest.receive(0, 64)).isEqualTo(utf8("x"));
      // a writable buffer that is transmitted says nothing, and nothing is written
      guest.driver.bytes(ConsoleGuest.buffer(1), utf8("secret"));
      guest.queues.get(1).desc(0, ConsoleGuest.buffer(1), 6, WRITE, 0);
      guest.queues.get(1).offer(0);
      guest.driver.kick(1);
      assertThat(guest.used(1)).isTrue();
      assertThat(readAll(end)).isEmpty();
      assertThat(guest.driver.bytes(ConsoleGuest.buffer(1), 6)).isEqualTo(utf8("secret"));
      assertThat(guest.queues.get(1).usedLength(0)).isZero();
    }
  }

  @Test
  @DisplayName("H6 H30 D: a receive buffer in its own registers is refused, the reader stays")
  void h30_ownRegisters() {
    final ConsoleGuest guest = ConsoleGuest.started(1);
    try (ConsolePort.Attachment end = guest.device.ports().getFirst().attach()) {
      guest.queues.get(0).desc(0, 0x80_4000_0000L, 64, Driver.WRITE, 0);
      guest.queues.get(0).offer(0);
      guest.driver.kick(0);
      end.write(utf8("x"), 0, 1);
      assertThat(guest.driver.needsReset()).isTrue();
      guest.start(0);
      assertThat(guest.receive(0, 8)).isEqualTo(utf8("x"));
    }
  }
}
