package io.carom.virtio.device.net;

import static io.carom.virtio.device.net.NetRig.packet;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Seed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Capture files, read back by a reader that knows the format only. */
class FrameCaptureTest {
  private record Packet(long nanos, int length, int flags, byte[] bytes) {}

  @TempDir private Path folder = Path.of("unset");
  private final Random random = Seed.random("FrameCaptureTest");
  private final List<Packet> packets = new ArrayList<>();
  private final AtomicLong clock = new AtomicLong(1_700_000_000_123_456_789L);
  private String name = "";
  private int snapLength;
  private long received = -1;
  private long lost = -1;

  private FrameCapture capture(final Path file, final int snap) throws IOException {
    return new FrameCapture("net0", file, snap, clock::getAndIncrement, Disks.quiet());
  }

  private void read(final Path file) throws IOException {
    final ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    boolean first = true;
    while (all.hasRemaining()) {
      final int start = all.position();
      final int type = all.getInt();
      final int length = all.getInt();
      assertThat(length % 4).isZero();
      assertThat(all.getInt(start + length - 4)).isEqualTo(length);
      assertThat(type == 0x0a0d0d0a).isEqualTo(first);
      first = false;
      final ByteBuffer body = all.slice(start + 8, length - 12).order(ByteOrder.LITTLE_ENDIAN);
      switch (type) {
        case 0x0a0d0d0a -> {
          assertThat(body.getInt()).isEqualTo(0x1a2b3c4d);
          assertThat(body.getShort()).isEqualTo((short) 1);
          assertThat(body.getShort()).isZero();
          assertThat(body.getLong()).isEqualTo(-1);
        }
        case 1 -> interfaceBlock(body);
        case 6 -> packetBlock(body);
        case 5 -> {
          body.position(12);
          received = option(body.duplicate().order(ByteOrder.LITTLE_ENDIAN), 4).getLong();
          lost = option(body.duplicate().order(ByteOrder.LITTLE_ENDIAN), 5).getLong();
        }
        default -> throw new AssertionError("block type " + type);
      }
      all.position(start + length);
    }
  }

  private void interfaceBlock(final ByteBuffer body) {
    assertThat(body.getShort()).as("Ethernet").isEqualTo((short) 1);
    body.getShort();
    snapLength = body.getInt();
    final ByteBuffer text = option(body.duplicate().order(ByteOrder.LITTLE_ENDIAN), 2);
    final byte[] bytes = new byte[text.remaining()];
    text.get(bytes);
    name = new String(bytes, StandardCharsets.UTF_8);
    assertThat(option(body, 9).get()).as("nanoseconds").isEqualTo((byte) 9);
  }

  private void packetBlock(final ByteBuffer body) {
    assertThat(body.getInt()).isZero();
    final long nanos = (long) body.getInt() << 32 | (body.getInt() & 0xffff_ffffL);
    final byte[] bytes = new byte[body.getInt()];
    final int length = body.getInt();
    body.get(bytes);
    while (body.position() % 4 != 0) {
      assertThat(body.get()).isZero();
    }
    packets.add(new Packet(nanos, length, option(body, 2).getInt(), bytes));
  }

  private static ByteBuffer option(final ByteBuffer options, final int wanted) {
    while (true) {
      final int code = options.getShort();
      final int length = options.getShort() & 0xffff;
      assertThat(code).as("option " + wanted + " is there").isNotZero();
      if (code == wanted) {
        return options.slice(options.position(), length).order(ByteOrder.LITTLE_ENDIAN);
      }
      options.position(options.position() + (length + 3) / 4 * 4);
    }
  }

  @Test
  void whatADeviceSendsAndReceivesIsInTheFile() throws IOException {
    final Path file = folder.resolve("a.pcapng");
    final NetSwitch segment = new NetSwitch("lan");
    final NetRig a = new NetRig(segment, "a", 1, 1500, false, capture(file, 0));
    final NetRig b = new NetRig(segment, "b", 1);
    a.start(0);
    b.start(0);
    final List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      final boolean out = random.nextBoolean();
      final NetRig from = out ? a : b;
      final byte[] frame = from.frame(out ? b.mac : a.mac, 14 + random.nextInt(1500), random);
      a.receive(0, 2048);
      from.send(0, packet(frame));
      a.device.deliverNow();
      frames.add(frame);
    }
    a.device.close();
    assertThat(a.device.info().capture()).isEqualTo(file.toString());
    read(file);
    assertThat(name).isEqualTo("net0");
    assertThat(packets).hasSize(60);
    for (int i = 0; i < 60; i++) {
      final Packet packet = packets.get(i);
      assertThat(packet.bytes()).isEqualTo(frames.get(i));
      assertThat(packet.length()).isEqualTo(frames.get(i).length);
      assertThat(packet.nanos()).isEqualTo(1_700_000_000_123_456_789L + i);
      final boolean out =
          Arrays.equals(Arrays.copyOfRange(packet.bytes(), 6, 12), MacAddress.bytes(a.mac));
      assertThat(packet.flags()).isEqualTo(out ? 2 : 1);
    }
    assertThat(received).isEqualTo(60);
    assertThat(lost).isZero();
  }

  @Test
  void longFramesMayBeCut() throws IOException {
    final Path file = folder.resolve("b.pcapng");
    try (FrameCapture capture = capture(file, 100)) {
      final Frame frame = new Frame();
      frame.prepare(1000);
      random.nextBytes(frame.bytes);
      capture.frame(frame, FrameCapture.OUTBOUND);
      frame.prepare(99);
      capture.frame(frame, FrameCapture.OUTBOUND);
    }
    read(file);
    assertThat(snapLength).isEqualTo(100);
    assertThat(packets.get(0).bytes()).hasSize(100);
    assertThat(packets.get(0).length()).isEqualTo(1000);
    assertThat(packets.get(1).bytes()).hasSize(99);
  }

  @Test
  void whatFindsNoRoomIsCountedInTheFile() throws IOException {
    final Path file = folder.resolve("c.pcapng");
    final FrameCapture capture = capture(file, 0);
    final Frame frame = new Frame();
    frame.prepare(60_000);
    for (int i = 0; i < 400; i++) {
      capture.frame(frame, FrameCapture.INBOUND);
    }
    capture.close();
    capture.frame(frame, FrameCapture.INBOUND);
    assertThat(capture.frames() + capture.dropped()).isEqualTo(401);
    read(file);
    assertThat(packets).hasSize((int) capture.frames());
    assertThat(received).isEqualTo(400);
    assertThat(lost).isEqualTo(capture.dropped() - 1);
  }

  @Test
  void aDiskThatIsFullIsNoReasonToStop() throws IOException {
    final Path full = Path.of("/dev/full");
    if (!Files.exists(full)) {
      return; // only some systems have a file that is always full
    }
    final FrameCapture capture = capture(full, 0);
    final Frame frame = new Frame();
    frame.prepare(60_000);
    final long deadline = System.nanoTime() + 300_000_000_000L;
    while (capture.dropped() == 0 && System.nanoTime() < deadline) {
      capture.frame(frame, FrameCapture.INBOUND);
    }
    assertThat(capture.dropped()).isPositive();
    capture.close();
  }
}
