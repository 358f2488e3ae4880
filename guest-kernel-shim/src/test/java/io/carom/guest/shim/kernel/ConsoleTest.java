package io.carom.guest.shim.kernel;

import static io.carom.virtio.ConsoleDescriptor.CONSOLE_PORT;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_ADD;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_READY;
import static io.carom.virtio.ConsoleDescriptor.DEVICE_REMOVE;
import static io.carom.virtio.ConsoleDescriptor.PORT_NAME;
import static io.carom.virtio.ConsoleDescriptor.PORT_OPEN;
import static io.carom.virtio.ConsoleDescriptor.PORT_READY;
import static io.carom.virtio.ConsoleDescriptor.RESIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.GuestConsole;
import io.carom.guest.shim.fake.FakeConsole;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final TestGuest test = new TestGuest();

  @AfterEach
  void stop() {
    test.close();
  }

  private FakeConsole boot(final int ports) {
    final FakeConsole device = new FakeConsole(test.msi, test.memory, ports);
    test.bus.add("00:06.0", device);
    test.boot();
    return device;
  }

  private GuestConsole console(final String name) {
    test.await(name, () -> find(name).isPresent());
    return find(name).orElseThrow();
  }

  private Optional<GuestConsole> find(final String name) {
    return test.guest.consoles().stream()
        .filter(console -> console.name().equals(name))
        .findFirst();
  }

  private static byte[] utf8(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  @DisplayName("console G: a device without MULTIPORT is hvc0, with a getty that answers")
  void consoleGetty() {
    final FakeConsole device = boot(1);
    final GuestConsole hvc0 = console("hvc0");
    assertThat(hvc0.console()).isTrue();
    assertThat(hvc0.columns()).isEqualTo(80);
    assertThat(hvc0.rows()).isEqualTo(25);
    assertThat(device.emergency()).startsWith("Carom guest: console virtio");
    test.await("a prompt", () -> device.written(0).endsWith("Carom guest hvc0\r\n\r\ncarom# "));
    assertThat(device.send(0, "uname\r")).isTrue();
    test.await(
        "uname", () -> device.written(0).contains("uname\r\nCarom guest-kernel-shim, Java "));
    assertThat(device.send(0, "echo  l\u00e4\u00e4\u007ft\rbogus\r\n")).isTrue();
    test.await("echo", () -> device.written(0).contains("\r\nl\u00e4t\r\n"));
    test.await("bogus", () -> device.written(0).contains("bogus: not found; try help"));
    assertThat(device.send(0, "dmesg\r")).isTrue();
    test.await("dmesg", () -> device.written(0).contains("console [hvc0] enabled\r\n"));
    assertThatThrownBy(hvc0::open).hasMessageContaining("hvc0 is open: its getty has it");
  }

  @Test
  @DisplayName("console G SIZE: columns and rows follow the configuration")
  void consoleResize() {
    final FakeConsole device = boot(1);
    final GuestConsole hvc0 = console("hvc0");
    device.size(132, 43);
    device.changeConfig();
    test.await("the size", () -> hvc0.columns() == 132 && hvc0.rows() == 43);
  }

  @Test
  @DisplayName("console G MULTIPORT: ports appear, are named, opened, used and removed")
  void multiportLife() throws InterruptedException {
    final FakeConsole device = boot(3);
    assertThat(test.guest.consoles()).isEmpty();
    assertThat(device.messages).containsExactly(List.of(0, DEVICE_READY, 1));
    device.control(1, DEVICE_ADD, 1);
    final GuestConsole port = console("vport0p1");
    test.await("PORT_READY", () -> device.messages.contains(List.of(1, PORT_READY, 1)));
    device.control(1, PORT_NAME, 1, utf8("agent\u0007\u0000x"));
    device.control(1, PORT_OPEN, 1);
    test.await("the name", () -> port.label().equals("agent"));
    test.await("the host's end", port::hostOpen);
    try (GuestConsole.Handle handle = port.open()) {
      test.await("PORT_OPEN", () -> device.messages.contains(List.of(1, PORT_OPEN, 1)));
      assertThat(handle.write(utf8("ping"), 0, 4, PATIENCE)).isEqualTo(4);
      test.await("ping", () -> device.written(1).equals("ping"));
      assertThat(device.send(1, "pong")).isTrue();
      final byte[] into = new byte[16];
      assertThat(handle.read(into, PATIENCE)).isEqualTo(4);
      assertThat(new String(into, 0, 4, StandardCharsets.UTF_8)).isEqualTo("pong");
      assertThat(handle.read(into, Duration.ZERO)).isZero();
      assertThatThrownBy(port::open).hasMessageContaining("vport0p1 is open: close it first");
      device.control(1, DEVICE_REMOVE, 1);
      assertThat(handle.read(into, PATIENCE)).isEqualTo(-1);
      assertThat(handle.write(into, 0, 1, PATIENCE)).isEqualTo(-1);
    }
    test.await("the end", () -> test.guest.consoles().isEmpty());
    assertThat(port.live()).isFalse();
    assertThatThrownBy(port::open).hasMessageContaining("gone");
    device.control(1, DEVICE_ADD, 1);
    assertThat(console("vport0p1").label()).isEmpty();
  }

  @Test
  @DisplayName("console G MULTIPORT: CONSOLE_PORT makes hvc0, RESIZE gives it a size")
  void multiportConsole() {
    final FakeConsole device = boot(2);
    device.control(0, DEVICE_ADD, 1);
    device.control(0, CONSOLE_PORT, 1);
    device.control(0, RESIZE, 0, (byte) 100, (byte) 0, (byte) 40, (byte) 0);
    final GuestConsole hvc0 = console("hvc0");
    test.await("the size", () -> hvc0.columns() == 100 && hvc0.rows() == 40);
    test.await("PORT_OPEN", () -> device.messages.contains(List.of(0, PORT_OPEN, 1)));
    test.await("a prompt", () -> device.written(0).endsWith("carom# "));
  }

  @Test
  @DisplayName("console G: many bytes go through in both directions, none lost, however slow")
  void consoleBulk() throws InterruptedException {
    final FakeConsole device = boot(2);
    device.control(1, DEVICE_ADD, 1);
    final byte[] text = new byte[40_000];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) ('a' + i % 26);
    }
    try (GuestConsole.Handle handle = console("vport0p1").open()) {
      assertThat(handle.write(text, 0, text.length, PATIENCE)).isEqualTo(text.length);
      test.await("all of it", () -> device.written(1).length() == text.length);
      assertThat(utf8(device.written(1))).isEqualTo(text);
      final byte[] read = new byte[text.length];
      int sent = 0;
      int got = 0;
      while (got < text.length) {
        final byte[] piece = Arrays.copyOfRange(text, sent, Math.min(sent + 500, text.length));
        if (got == sent) {
          // all was read, and the driver may not have given the buffers back yet
          test.await("a buffer", () -> device.send(4, piece, piece.length));
          sent += piece.length;
          continue;
        }
        if (piece.length > 0 && device.send(4, piece, piece.length)) {
          sent += piece.length;
          continue;
        }
        final byte[] part = new byte[333];
        final int bytes = handle.read(part, PATIENCE);
        assertThat(bytes).as("%d sent, %d read: %s", sent, got, test.guest.dmesg()).isPositive();
        System.arraycopy(part, 0, read, got, bytes);
        got += bytes;
      }
      assertThat(read).isEqualTo(text);
    }
  }

  @Test
  @DisplayName("console G: a writer waits for a deaf device for its time, and goes on after")
  void consoleDeaf() throws InterruptedException {
    final FakeConsole device = boot(2);
    device.control(1, DEVICE_ADD, 1);
    try (GuestConsole.Handle handle = console("vport0p1").open()) {
      device.deaf = true;
      final int taken = handle.write(new byte[20_000], 0, 20_000, Duration.ofMillis(30));
      assertThat(taken).as("what four buffers hold").isEqualTo(4096);
      assertThat(handle.write(new byte[1], 0, 1, Duration.ZERO)).isZero();
      device.listen();
      assertThat(handle.write(utf8("!"), 0, 1, PATIENCE)).isEqualTo(1);
      test.await("all of it", () -> device.written(1).length() == 4097);
    }
  }

  @Test
  @DisplayName("console G: hostile control messages create nothing and break nothing")
  void multiportHostile() {
    final FakeConsole device = boot(2);
    for (final int port : new int[] {1, 2, 31, 0x7fffffff, -1}) {
      for (int event = 0; event < 12; event++) {
        final int number = event;
        if (event != DEVICE_ADD || port != 1) {
          test.await("a buffer", () -> device.control(port, number, 0xffff));
        }
      }
    }
    test.await("a buffer", () -> device.send(2, new byte[] {1}, 1));
    test.await("a buffer", () -> device.send(2, new byte[0], 0));
    test.await("a buffer", () -> device.control(1, DEVICE_ADD, 1));
    assertThat(console("vport0p1").live()).isTrue();
    test.await("a buffer", () -> device.control(1, RESIZE, 0, (byte) 1));
    for (int i = 0; i < 300; i++) {
      test.await("a buffer", () -> device.control(1, DEVICE_ADD, 1));
    }
    assertThat(test.guest.consoles()).hasSize(1);
    assertThat(test.guest.dmesg().size()).as("the log is not flooded").isLessThan(60);
  }

  @Test
  @DisplayName("H15 G: a console that breaks the ring's rules is reset, its ports come back")
  void h15_hostileRing() throws InterruptedException {
    final FakeConsole device = boot(2);
    device.control(1, DEVICE_ADD, 1);
    try (GuestConsole.Handle handle = console("vport0p1").open()) {
      final int resets = device.resets.get();
      test.await("a buffer", () -> device.send(4, new byte[8], 100_000));
      test.await("the reset", () -> device.resets.get() > resets);
      test.await(
          "DEVICE_READY again",
          () -> device.messages.stream().filter(List.of(0, DEVICE_READY, 1)::equals).count() == 2);
      test.await("a buffer", () -> device.control(1, DEVICE_ADD, 1));
      test.await("open again", () -> device.messages.getLast().equals(List.of(1, PORT_OPEN, 1)));
      assertThat(handle.write(utf8("alive"), 0, 5, PATIENCE)).isEqualTo(5);
      test.await("alive", () -> device.written(1).equals("alive"));
      test.await("a buffer", () -> device.send(1, "too"));
      assertThat(handle.read(new byte[8], PATIENCE)).isEqualTo(3);
    }
  }

  @Test
  @DisplayName("H15 G: a wrong id on a transmit queue resets the device")
  void h15_wrongTransmitId() throws InterruptedException {
    final FakeConsole device = boot(2);
    device.control(1, DEVICE_ADD, 1);
    try (GuestConsole.Handle handle = console("vport0p1").open()) {
      test.await("PORT_OPEN", () -> device.messages.contains(List.of(1, PORT_OPEN, 1)));
      final int resets = device.resets.get();
      device.wrongId = 77;
      handle.write(new byte[8000], 0, 8000, Duration.ofSeconds(1));
      test.await("the reset", () -> device.resets.get() > resets);
    }
  }

  @Test
  @DisplayName("console G: whoever waits leaves when the device goes")
  void consoleRemoved() throws InterruptedException {
    final FakeConsole device = boot(2);
    device.control(1, DEVICE_ADD, 1);
    device.control(0, DEVICE_ADD, 1);
    device.control(0, CONSOLE_PORT, 1);
    console("hvc0");
    final GuestConsole.Handle handle = console("vport0p1").open();
    test.onWork(() -> test.guest.dmaLeaves());
    assertThat(handle.read(new byte[8], Duration.ofDays(1))).isEqualTo(-1);
    assertThat(handle.write(new byte[8], 0, 8, Duration.ofDays(1))).isEqualTo(-1);
    assertThat(test.guest.consoles()).isEmpty();
    assertThat(device.status()).isZero();
    test.onWork(() -> test.guest.dmaArrived(test.dma));
    device.control(0, DEVICE_ADD, 1);
    device.control(0, CONSOLE_PORT, 1);
    console("hvc0");
    handle.close();
  }
}
