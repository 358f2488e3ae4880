package io.carom.virtio.device.net;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A network device whose code is replaced. */
@Timeout(600)
class ReplacedNetTest {
  private static final int QUEUE_SIZE = 16;
  private static final int PACKET = 80;
  private static final int CONFIG = 0x2000;
  private static final long DATA = 0x100000;
  private static final long FEATURES =
      VirtioFeatures.NET_MAC | VirtioFeatures.NET_STATUS | VirtioFeatures.NET_CTRL_VQ;

  @TempDir private Path folder = Path.of("unset");
  private final List<Integer> arrived = new ArrayList<>();
  private final NetSwitch segment = new NetSwitch("lan");
  private NetDevice device = made("net0", null);
  private String name = "net0";
  private @Nullable Path captured;
  private Slot slot = slot();
  private final List<DriverRing> rings = new ArrayList<>();

  private NetDevice made(final String macOf, final @Nullable FrameCapture capture) {
    device =
        new NetDevice(
            new NetOptions("net0", MacAddress.of(macOf), 1, QUEUE_SIZE, 1500, false),
            segment,
            capture);
    return device;
  }

  private @Nullable FrameCapture capture() {
    final Path file = captured;
    try {
      return file == null
          ? null
          : new FrameCapture("net0", file, 0, FrameCapture.wallClock(), Disks.quiet());
    } catch (final IOException e) {
      throw new AssertionError(e);
    }
  }

  private Slot slot() {
    return new Slot(
        new FakeBus(0),
        records ->
            new VirtioFunctionBuilder("net0", made(name, capture()))
                .workers(WorkerOptions.manual())
                .errors(Disks.quiet())
                .records(records)
                .build());
  }

  private void start(final Rings kind) {
    slot = slot();
    arrived.clear();
    rings.clear();
    final Driver driver = slot.driver();
    assertThat(driver.negotiate(FEATURES | kind.features)).isTrue();
    driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < 3; i++) {
      rings.add(kind.make(slot.bus, QUEUE_SIZE, 0x10000L * (i + 1)));
      driver.enable(i, rings.get(i));
    }
    driver.ready();
  }

  private void listen() {
    segment.join(frame -> arrived.add(frame.bytes[14] & 0xff));
  }

  private static byte[] packet(final int number) {
    final byte[] packet = new byte[PACKET];
    Arrays.fill(packet, NetDescriptor.HEADER_SIZE, NetDescriptor.HEADER_SIZE + 6, (byte) 0xff);
    packet[NetDescriptor.HEADER_SIZE + 6] = 2;
    packet[NetDescriptor.HEADER_SIZE + 14] = (byte) number;
    return packet;
  }

  private void send(final int number) {
    final long at = DATA + 0x100L * number;
    slot.driver().bytes(at, packet(number));
    rings.get(1).desc(number, at, PACKET, 0, 0);
    rings.get(1).offer(number);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("cut at every step, each frame is sent, at most twice, and each chain returned once")
  void cutAtEveryStep(final Rings kind) {
    listen();
    boolean cut = true;
    int steps = 0;
    for (; cut; steps++) {
      start(kind);
      for (int i = 0; i < 4; i++) {
        send(i);
      }
      slot.driver().kick(1);
      slot.driver().function.leaving(false);
      slot.cutAfter(steps);
      slot.driver().function.processNow();
      cut = slot.wasCut();
      slot.replace();
      slot.driver().function.processNow();
      assertThat(slot.driver().status()).isEqualTo(0x0f);
      assertThat(rings.get(1).usedIndex()).isEqualTo(4);
      for (int i = 0; i < 4; i++) {
        final int number = i;
        assertThat(arrived.stream().filter(one -> one == number).count()).isBetween(1L, 2L);
      }
      slot.detach();
      device.close();
    }
    assertThat(steps).isGreaterThan(5);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("receive buffers are used as before, and frames of the gap are lost")
  void receives(final Rings kind) {
    start(kind);
    final DriverRing rx = rings.getFirst();
    for (int i = 0; i < 3; i++) {
      rx.desc(i, DATA + 0x1000 + 0x100L * i, 0x100, WRITE, 0);
      rx.offer(i);
    }
    slot.driver().kick(0);
    arrive(1);
    device.deliverNow();
    slot.detach();
    arrive(2);
    slot.attach();
    arrive(3);
    device.deliverNow();
    assertThat(rx.usedIndex()).isEqualTo(2);
    assertThat(slot.driver().bytes(DATA + 0x1000, PACKET)[NetDescriptor.HEADER_SIZE + 14])
        .isEqualTo((byte) 1);
    assertThat(slot.driver().bytes(DATA + 0x1100, PACKET)[NetDescriptor.HEADER_SIZE + 14])
        .isEqualTo((byte) 3);
  }

  private void arrive(final int number) {
    final Frame frame = new Frame();
    frame.prepare(PACKET - NetDescriptor.HEADER_SIZE);
    System.arraycopy(packet(number), NetDescriptor.HEADER_SIZE, frame.bytes, 0, frame.length);
    segment.forward(other -> {}, frame);
  }

  @Test
  @DisplayName("the link stays as it was, and the address")
  void linkStays() {
    start(Rings.SPLIT);
    device.linkUp(false);
    slot.replace();
    assertThat(slot.driver().get(CONFIG + NetDescriptor.CONFIG_STATUS, 2)).isZero();
    assertThat(device.info().linkUp()).isFalse();
    assertThat(device.info().mac()).isEqualTo(MacAddress.text(MacAddress.of("net0")));
  }

  @Test
  @DisplayName("with another address it is another device: it asks for a reset")
  void anotherAddress() {
    start(Rings.SPLIT);
    name = "net1";
    slot.replace();
    assertThat(slot.driver().status() & VirtioStatus.NEEDS_RESET).isNotZero();
    assertThat(slot.driver().function.info().lastError()).contains("mac=");
  }

  @Test
  @DisplayName("a capture goes on in its file; that of a new device begins anew")
  void captureGoesOn() throws IOException {
    final Path file = folder.resolve("net0.pcapng");
    Files.writeString(file, "old");
    captured = file;
    start(Rings.SPLIT);
    send(1);
    slot.driver().kick(1);
    slot.driver().function.processNow();
    slot.detach();
    device.close();
    final byte[] first = Files.readAllBytes(file);
    assertThat(first.length).isGreaterThan(100);
    slot.attach();
    send(2);
    slot.driver().kick(1);
    slot.driver().function.processNow();
    slot.detach();
    device.close();
    final byte[] both = Files.readAllBytes(file);
    assertThat(both.length).isGreaterThan(first.length + 100);
    assertThat(Arrays.copyOf(both, first.length)).isEqualTo(first);
    assertThat(Arrays.copyOfRange(both, first.length, first.length + 4))
        .as("a section")
        .isEqualTo(Arrays.copyOf(first, 4));
  }
}
