package io.carom.virtio.device.net;

import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
  @DisplayName("receive buffers are used as before; what waits is handed over, and others wait")
  void receives(final Rings kind) {
    start(kind);
    buffers(0, 1);
    assertThat(arrive(1)).isTrue();
    device.deliverNow();
    assertThat(arrive(2)).isTrue();
    slot.detach();
    assertThat(arrive(3)).as("its sender keeps it").isFalse();
    slot.attach();
    assertThat(arrive(3)).isTrue();
    buffers(1, 3);
    device.deliverNow();
    assertThat(received()).containsExactly(1, 2, 3);
    assertThat(device.info().drops()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("revoked at every step, each frame is received once")
  void revokedAtEveryStepOfReceiving(final Rings kind) {
    boolean revoked = true;
    int steps = 0;
    for (; revoked; steps++) {
      start(kind);
      buffers(0, 4);
      for (int i = 0; i < 4; i++) {
        assertThat(arrive(i)).isTrue();
      }
      slot.revokeAfter(steps);
      device.deliverNow();
      revoked = slot.bus.revoked;
      slot.replace();
      device.deliverNow();
      assertThat(received()).as("revoked before step " + steps).containsExactly(0, 1, 2, 3);
      slot.detach();
      device.close();
    }
    assertThat(steps).isGreaterThan(5);
  }

  /** Offers receive buffers. */
  private void buffers(final int from, final int to) {
    final DriverRing rx = rings.getFirst();
    for (int i = from; i < to; i++) {
      rx.desc(i, DATA + 0x1000 + 0x100L * i, 0x100, WRITE, 0);
      rx.offer(i);
    }
    slot.driver().kick(0);
  }

  /** The numbers of the frames that were received, in their order. */
  private List<Integer> received() {
    final DriverRing rx = rings.getFirst();
    final List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < rx.usedIndex(); i++) {
      final long at = DATA + 0x1000 + 0x100L * rx.usedId(i);
      numbers.add(slot.driver().bytes(at, PACKET)[NetDescriptor.HEADER_SIZE + 14] & 0xff);
    }
    return numbers;
  }

  private boolean arrive(final int number) {
    final Frame frame = new Frame();
    frame.prepare(PACKET - NetDescriptor.HEADER_SIZE);
    System.arraycopy(packet(number), NetDescriptor.HEADER_SIZE, frame.bytes, 0, frame.length);
    return segment.forward(other -> true, frame);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a frame to who is away waits in its ring, also for the next code, and is sent once")
  void framesWaitInTheRing(final Rings kind) {
    final long absent = MacAddress.of("absent");
    listen();
    start(kind);
    segment.await(List.of(absent));
    send(0);
    send(1);
    slot.driver().kick(1);
    slot.driver().function.processNow();
    assertThat(rings.get(1).usedIndex()).isZero();
    slot.driver().kick(1); // a doorbell changes nothing
    slot.driver().function.processNow();
    assertThat(device.info().txFrames()).as("the first, once").isEqualTo(1);
    slot.replace();
    slot.driver().function.processNow();
    assertThat(rings.get(1).usedIndex()).isZero();
    assertThat(arrived).isEmpty();
    segment.returned(absent);
    slot.driver().function.processNow();
    assertThat(rings.get(1).usedIndex()).isEqualTo(2);
    assertThat(arrived).containsExactly(0, 1);
    assertThat(device.info().txFrames()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "frames.0, -1/0/AAAA, no frame",
    "frames.0, -1/0/!, no frame",
    "frames.0, 9999/0/AAAAAAAAAAAAAAAAAAAAAAAA, no frame",
    "frames.0, x/0/AAAAAAAAAAAAAAAAAAAAAAAA, no frame",
    "frames.0, AAAA, no frame",
    "stations, 02:00, mac=02:00"
  })
  @DisplayName("words that make no sense are refused, and change nothing")
  void wrongWords(final String key, final String value, final String reason) {
    start(Rings.SPLIT);
    assertThat(arrive(1)).isTrue();
    final Map<String, String> words = device.handOver();
    assertThat(words.put(key, value)).isNotNull();
    final NetDevice next = made("net0", null);
    assertThatThrownBy(() -> next.resume(words))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
    next.negotiated(FEATURES);
    assertThat(next.info().drops()).isEmpty();
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
