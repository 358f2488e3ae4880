package io.carom.virtio.device.net;

import static io.carom.virtio.device.net.NetRig.frameOf;
import static io.carom.virtio.device.net.NetRig.half;
import static io.carom.virtio.device.net.NetRig.header;
import static io.carom.virtio.device.net.NetRig.packet;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Seed;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames from one device to another: framing, checksums, buffers and hostile packets. */
class NetFrameTest {
  private static final int HEADER = NetDescriptor.HEADER_SIZE;
  private static final int LARGEST = 1518;

  private final Random random = Seed.random("NetFrameTest");
  private final NetSwitch segment = new NetSwitch("test");
  private final NetRig a = new NetRig(segment, "a", 1);
  private final NetRig b = new NetRig(segment, "b", 1);

  private void start(final long ofA, final long ofB) {
    a.start(ofA);
    b.start(ofB);
  }

  private byte[] pass(final byte[] packet, final int... cut) {
    b.receive(0, 2048);
    a.send(0, packet, cut);
    b.device.deliverNow();
    return b.mustReceive(0);
  }

  @Test
  void aFrameArrivesByteForByte() {
    start(0, 0);
    for (final int length : new int[] {14, 15, 60, 777, 1514, LARGEST}) {
      final byte[] frame = a.frame(b.mac, length, random);
      final byte[] packet = pass(packet(frame));
      assertThat(frameOf(packet)).isEqualTo(frame);
      assertThat(Arrays.copyOf(packet, 10)).containsOnly(0);
      assertThat(half(packet, NetDescriptor.HEADER_NUM_BUFFERS)).isEqualTo(1);
    }
    assertThat(a.queues[1].usedIndex()).isEqualTo(6);
    assertThat(a.queues[1].usedLength(0)).isZero();
    assertThat(a.device.info().txFrames()).isEqualTo(6);
    assertThat(b.device.info().rxBytes()).isEqualTo(14 + 15 + 60 + 777 + 1514 + LARGEST);
    assertThat(a.bus.openSections).hasValue(0);
  }

  @Test
  void aPacketMayBeCutAnywhere() {
    start(0, 0);
    final byte[] frame = a.frame(b.mac, 40, random);
    final byte[] packet = packet(frame);
    for (int first = 1; first < packet.length; first++) {
      assertThat(frameOf(pass(packet, first, packet.length - first))).isEqualTo(frame);
    }
    for (int first = 1; first < packet.length - 1; first++) {
      final int second = 1 + random.nextInt(packet.length - first - 1);
      final int[] cut = {first, second, packet.length - first - second};
      assertThat(frameOf(pass(packet, cut))).isEqualTo(frame);
    }
    final int[] bytes = new int[packet.length];
    Arrays.fill(bytes, 1);
    assertThat(frameOf(pass(packet, bytes))).isEqualTo(frame);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, VirtioFeatures.NET_MRG_RXBUF})
  void aReceiveBufferMayBeCutAnywhere(final long features) {
    start(0, features);
    final byte[] frame = a.frame(b.mac, 40, random);
    for (int first = 1; first < 52; first++) {
      b.receive(0, first, 52 - first);
      a.send(0, packet(frame));
      b.device.deliverNow();
      assertThat(frameOf(b.mustReceive(0))).isEqualTo(frame);
    }
  }

  @Test
  void aFrameIsSpreadOverSeveralBuffers() {
    start(0, VirtioFeatures.NET_MRG_RXBUF);
    final byte[] frame = a.frame(b.mac, 1000, random);
    b.receive(0, 12); // the header alone
    b.receive(0, 300, 200);
    b.receive(0, 499);
    b.receive(0, 100);
    b.receive(0, 64);
    a.send(0, packet(frame));
    b.device.deliverNow();
    final byte[] first = b.mustReceive(0);
    final byte[] second = b.mustReceive(0);
    final byte[] third = b.mustReceive(0);
    final byte[] fourth = b.mustReceive(0);
    assertThat(b.received(0)).isNull();
    assertThat(half(first, NetDescriptor.HEADER_NUM_BUFFERS)).isEqualTo(4);
    assertThat(first).hasSize(12);
    assertThat(second).hasSize(500);
    assertThat(third).hasSize(499);
    assertThat(fourth).isEqualTo(new byte[] {frame[999]});
    assertThat(second).isEqualTo(Arrays.copyOf(frame, 500));
    assertThat(third).isEqualTo(Arrays.copyOfRange(frame, 500, 999));
  }

  @Test
  void tooFewMergeableBuffersWaitForMore() {
    start(0, VirtioFeatures.NET_MRG_RXBUF);
    final byte[] frame = a.frame(b.mac, 1000, random);
    b.receive(0, 512);
    b.kick(0);
    a.send(0, packet(frame));
    b.device.deliverNow();
    assertThat(b.received(0)).isNull();
    assertThat(b.queues[0].usedFlags()).as("the device asks to be told").isZero();
    b.receive(0, 512);
    b.device.deliverNow();
    assertThat(b.received(0)).as("it was not told").isNull();
    b.kick(0);
    b.device.deliverNow();
    assertThat(b.mustReceive(0)).hasSize(512);
    assertThat(b.mustReceive(0)).hasSize(500);
  }

  @Test
  void aFrameThatFitsNoBufferIsDroppedAndTheBufferKept() {
    start(0, 0);
    b.receive(0, 100);
    a.send(0, packet(a.frame(b.mac, 89, random)));
    b.device.deliverNow();
    assertThat(b.received(0)).isNull();
    assertThat(b.dropped("rx oversize")).isEqualTo(1);
    final byte[] frame = a.frame(b.mac, 88, random);
    a.send(0, packet(frame));
    b.device.deliverNow();
    assertThat(frameOf(b.mustReceive(0))).isEqualTo(frame);
  }

  @Test
  void aDriverWhoseBuffersNeverSufficeDoesNotBlockTheQueue() {
    start(0, VirtioFeatures.NET_MRG_RXBUF);
    for (int i = 0; i < NetRig.SIZE; i++) {
      b.receive(0, 16);
    }
    a.send(0, packet(a.frame(b.mac, LARGEST, random)));
    final byte[] frame = a.frame(b.mac, 20, random);
    a.send(0, packet(frame));
    b.device.deliverNow();
    assertThat(b.dropped("rx oversize")).isEqualTo(1);
    assertThat(b.mustReceive(0)).hasSize(16);
    assertThat(b.mustReceive(0)).isEqualTo(Arrays.copyOfRange(frame, 4, 20));
  }

  @Test
  void aReceiveBufferWithoutRoomForTheHeaderBreaksTheQueue() {
    for (final long features : new long[] {0, VirtioFeatures.NET_MRG_RXBUF}) {
      start(0, features);
      b.receive(0, 11);
      a.send(0, packet(a.frame(b.mac, 60, random)));
      b.device.deliverNow();
      assertThat(b.driver.needsReset()).isTrue();
      assertThat(a.driver.needsReset()).isFalse();
      assertThat(b.bus.openSections).hasValue(0);
    }
    start(0, 0);
    final byte[] frame = a.frame(b.mac, 60, random);
    assertThat(frameOf(pass(packet(frame)))).as("a reset brings it back").isEqualTo(frame);
  }

  @Test
  void shortAndLongPacketsAreDroppedAndTheirChainsReturned() {
    start(NetRig.ALL, 0);
    final int[] lengths = {1, 11, 12, 13, 25, HEADER + LARGEST + 1, 3000};
    for (final int length : lengths) {
      a.send(0, new byte[length]);
    }
    assertThat(a.queues[1].usedIndex()).isEqualTo(lengths.length);
    assertThat(a.dropped("tx short")).isEqualTo(5);
    assertThat(a.dropped("tx oversize")).isEqualTo(2);
    assertThat(a.driver.needsReset()).isFalse();
    final byte[] frame = a.frame(b.mac, 60, random);
    assertThat(frameOf(pass(packet(frame)))).isEqualTo(frame);
  }

  @Test
  void headersThatMakeNoSenseCostTheirFrame() {
    start(NetRig.ALL, 0);
    final byte[] frame = a.frame(b.mac, 60, random);
    final byte[][] headers = {
      header(0, 1, 0, 0), // segmentation, which is not offered
      header(0, 0x80, 0, 0),
      header(1, 0, 60, 0),
      header(1, 0, 59, 0),
      header(1, 0, 0, 59),
      header(1, 0, 0xffff, 0xffff),
      header(1, 0, 34, 25),
    };
    for (final byte[] header : headers) {
      a.send(0, packet(header, frame));
    }
    assertThat(a.dropped("tx bad header")).isEqualTo(headers.length);
    assertThat(a.queues[1].usedIndex()).isEqualTo(headers.length);
    assertThat(a.device.info().txFrames()).isZero();
    assertThat(frameOf(pass(packet(header(0, 0, 0xffff, 0xffff), frame))))
        .as("without the flag the fields mean nothing")
        .isEqualTo(frame);
  }

  @Test
  void aPartialChecksumThatWasNotNegotiatedIsRefused() {
    start(0, 0);
    a.send(0, packet(header(1, 0, 34, 6), a.frame(b.mac, 60, random)));
    assertThat(a.dropped("tx bad header")).isEqualTo(1);
  }

  @Test
  void aPartialChecksumIsPassedToADriverThatTakesIt() {
    start(VirtioFeatures.NET_CSUM, VirtioFeatures.NET_GUEST_CSUM);
    final byte[] frame = a.frame(b.mac, 60, random);
    final byte[] packet = pass(packet(header(1, 0, 34, 6), frame));
    assertThat(frameOf(packet)).isEqualTo(frame);
    assertThat(packet[0]).isEqualTo((byte) NetDescriptor.F_NEEDS_CSUM);
    assertThat(half(packet, NetDescriptor.HEADER_CSUM_START)).isEqualTo(34);
    assertThat(half(packet, NetDescriptor.HEADER_CSUM_OFFSET)).isEqualTo(6);
  }

  @Test
  void aPartialChecksumIsCompletedForADriverThatDoesNot() {
    start(VirtioFeatures.NET_CSUM, 0);
    for (int length = 42; length < 80; length++) {
      final byte[] frame = a.frame(b.mac, length, random);
      final int seedOfField = (frame[40] & 0xff) << 8 | (frame[41] & 0xff);
      final byte[] packet = pass(packet(header(1, 0, 34, 6), frame));
      assertThat(packet[0]).isZero();
      final byte[] got = frameOf(packet);
      // what a receiver does: the sum over everything, the pseudo header's included, is all ones
      int sum = seedOfField;
      for (int i = 34; i < length; i++) {
        sum += (got[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
      }
      while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >>> 16);
      }
      assertThat(sum).isEqualTo(0xffff);
      got[40] = frame[40];
      got[41] = frame[41];
      assertThat(got).isEqualTo(frame);
    }
  }

  @Test
  void aChecksumOfZeroIsSentAsAllOnes() {
    start(VirtioFeatures.NET_CSUM, 0);
    final byte[] frame = a.frame(b.mac, 42, random);
    Arrays.fill(frame, 34, 42, (byte) 0);
    frame[34] = (byte) 0xff;
    frame[35] = (byte) 0xff;
    final byte[] got = frameOf(pass(packet(header(1, 0, 34, 6), frame)));
    assertThat(got[40]).isEqualTo((byte) 0xff);
    assertThat(got[41]).isEqualTo((byte) 0xff);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, VirtioFeatures.EVENT_IDX})
  void framesWaitForBuffersInOrderAndInBounds(final long features) {
    start(0, features);
    final int sent = RxBacklog.CAPACITY + 10;
    for (int i = 0; i < sent; i++) {
      final byte[] frame = a.frame(b.mac, 60, random);
      frame[20] = (byte) i;
      frame[21] = (byte) (i >>> 8);
      a.send(0, packet(frame));
      b.device.deliverNow();
    }
    assertThat(b.dropped("rx no buffer")).isEqualTo(10);
    int expected = 0;
    while (expected < RxBacklog.CAPACITY) {
      for (int i = 0; i < NetRig.SIZE; i++) {
        b.receive(0, 512);
      }
      if (features == 0) {
        assertThat(b.queues[0].usedFlags()).isZero();
      } else {
        assertThat(b.queues[0].availEvent()).as("the doorbell is asked for").isEqualTo(expected);
      }
      b.kick(0);
      while (!deliver()) {
        Thread.onSpinWait();
      }
      for (byte[] got = b.received(0); got != null; got = b.received(0)) {
        assertThat(half(frameOf(got), 20)).isEqualTo(expected);
        expected++;
      }
    }
    assertThat(expected).isEqualTo(RxBacklog.CAPACITY);
    assertThat(b.device.info().rxFrames()).isEqualTo(RxBacklog.CAPACITY);
  }

  /** One pass has a budget: goes on until nothing more is carried. */
  private boolean deliver() {
    final long before = b.device.info().rxFrames();
    b.device.deliverNow();
    return b.device.info().rxFrames() == before;
  }
}
