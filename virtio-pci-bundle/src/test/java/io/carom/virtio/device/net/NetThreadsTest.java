package io.carom.virtio.device.net;

import static io.carom.virtio.device.net.NetRig.frameOf;
import static io.carom.virtio.device.net.NetRig.packet;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Seed;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two devices with their threads. */
@Timeout(600)
class NetThreadsTest {
  private final Random random = Seed.random("NetThreadsTest");
  private final NetSwitch segment = new NetSwitch("test");
  private final NetRig a = new NetRig(segment, "a", 1, 1500, true, null);
  private final NetRig b = new NetRig(segment, "b", 1, 1500, true, null);

  @AfterEach
  void stop() {
    a.driver.function.unplugged();
    b.driver.function.unplugged();
    a.device.close();
    b.device.close();
  }

  private void await(final BooleanSupplier condition) {
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(300);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(
            "not within 300 s: " + a.driver.function.info() + " " + b.driver.function.info());
      }
      Thread.yield();
    }
  }

  private static boolean threadLives(final String name) {
    return Thread.getAllStackTraces().keySet().stream().anyMatch(t -> t.getName().equals(name));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, VirtioFeatures.EVENT_IDX})
  void everyFrameArrivesOnceAndInOrder(final long ring) {
    a.start(ring);
    b.start(ring | VirtioFeatures.NET_MRG_RXBUF);
    int given = 0;
    int sent = 0;
    int got = 0;
    final int most = 6000;
    final byte[][] expected = new byte[RxBacklog.CAPACITY / 2][];
    while (got < most) {
      final int burst = 1 + random.nextInt(8);
      for (int i = 0; i < burst && given - got < 32; i++) {
        b.receive(0, 2048);
        given++;
      }
      // the device asks for a doorbell when it has run out; a spare one does no harm
      b.driver.kick(0);
      for (int i = 0; i < burst && sent < most && sent - got < 32; i++) {
        final byte[] frame = a.frame(b.mac, 14 + random.nextInt(1000), random);
        expected[sent % expected.length] = frame;
        a.send(0, packet(frame));
        sent++;
        final int end = sent & 0xffff;
        await(() -> a.queues[1].usedIndex() == end);
      }
      for (byte[] packet = b.received(0); packet != null; packet = b.received(0)) {
        assertThat(frameOf(packet)).isEqualTo(expected[got % expected.length]);
        got++;
      }
    }
    assertThat(b.device.info().drops()).isEmpty();
    assertThat(b.driver.needsReset()).isFalse();
  }

  @Test
  void theThreadsEndWithTheDevice() {
    a.start(0);
    assertThat(threadLives("net a rx")).isTrue();
    a.driver.function.unplugged();
    await(() -> !threadLives("net a rx"));
  }

  @Test
  void aReceiverThatIsResetAndStartedAllTheTimeIsNeverWrittenAfterAReset() {
    a.start(0);
    for (int round = 0; round < 300; round++) {
      b.start(round % 2 == 0 ? 0 : VirtioFeatures.NET_MRG_RXBUF);
      for (int i = 0; i < 16; i++) {
        b.receive(0, 512);
      }
      b.driver.kick(NetDescriptor.receiveQueue(0));
      for (int i = 0; i < 8; i++) {
        a.send(0, packet(a.frame(b.mac, 60, random)));
      }
      b.driver.status(0);
      await(() -> b.driver.status() == 0);
      final int used = b.queues[0].usedIndex();
      Thread.onSpinWait();
      assertThat(b.queues[0].usedIndex()).isEqualTo(used);
    }
    assertThat(b.driver.needsReset()).isFalse();
  }
}
