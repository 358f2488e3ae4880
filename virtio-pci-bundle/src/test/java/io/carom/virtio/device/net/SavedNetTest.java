package io.carom.virtio.device.net;

import static io.carom.virtio.device.net.NetRig.frameOf;
import static io.carom.virtio.device.net.NetRig.packet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.state.VirtioStateCodec;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A network device that is saved while frames go on, and another one that takes its place. */
class SavedNetTest {
  private static final long MULTIPLE = NetRig.ALL | VirtioFeatures.NET_MQ;
  private static final int CONTROL = NetDescriptor.controlQueue(2);
  private static final byte[] TWO_PAIRS = {4, 0, 2, 0};
  private static final int BUFFERS = 8;

  private final Random random = Seed.random("SavedNetTest");
  private final NetSwitch segment = new NetSwitch("test");
  private final NetRig a = new NetRig(segment, "a", 1);
  private NetRig b = new NetRig(segment, "b", 2);

  @AfterEach
  void stop() {
    a.driver.function.unplugged();
    b.driver.function.unplugged();
  }

  private static VirtioState save(final NetRig rig) {
    return VirtioStateCodec.read(VirtioStateCodec.write(rig.driver.function.save()));
  }

  private void buffers() {
    for (int pair = 0; pair < 2; pair++) {
      for (int i = 0; i < BUFFERS; i++) {
        b.receive(pair, 512);
      }
    }
  }

  /** Sends on a pair, so that the answer comes back on it, and answers. */
  private void exchange(final int pair) {
    final byte[] request = b.frame(a.mac, 60, random);
    a.receive(0, 512);
    b.send(pair, packet(request));
    a.device.deliverNow();
    assertThat(frameOf(a.mustReceive(0))).isEqualTo(request);
    final byte[] answer = a.frame(b.mac, 60 + random.nextInt(100), random);
    a.send(0, packet(answer));
    b.device.deliverNow();
    assertThat(frameOf(b.mustReceive(pair))).isEqualTo(answer);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, VirtioFeatures.EVENT_IDX})
  @DisplayName("S9 a device that was saved goes on receiving in another one's place, on all pairs")
  void goesOnReceiving(final long ring) {
    a.start(NetRig.ALL);
    b.start(MULTIPLE | ring);
    assertThat(b.control(CONTROL, TWO_PAIRS)).isZero();
    buffers();
    exchange(0);
    final VirtioState state = save(b);
    final byte[] meanwhile = a.frame(b.mac, 60, random);
    a.send(0, packet(meanwhile)); // is lost with the device that it waits in
    b.device.deliverNow();
    assertThat(b.received(0)).as("at rest").isNull();
    b = b.replaced(segment);
    b.driver.function.restore(state);
    assertThat(b.device.info().activePairs()).isEqualTo(2);
    for (int i = 0; i < BUFFERS - 1; i++) { // into the buffers of before
      exchange(0);
    }
    assertThat(b.device.info().drops()).isEmpty();
    buffers();
    b.kick(NetDescriptor.receiveQueue(0));
    exchange(0);
    assertThat(b.control(CONTROL, new byte[] {4, 0, 1, 0})).isZero();
    exchange(0);
    assertThat(b.driver.needsReset()).isFalse();
  }

  @Test
  @DisplayName("flows come back on the second pair after restoring, too")
  void secondPairReceives() {
    a.start(NetRig.ALL);
    b.start(MULTIPLE);
    b.control(CONTROL, TWO_PAIRS);
    buffers();
    final VirtioState state = save(b);
    b = b.replaced(segment);
    b.driver.function.restore(state);
    final int[] got = new int[2];
    for (int flow = 0; flow < 100; flow++) {
      final byte[] frame = udp(flow);
      a.send(0, packet(frame));
      b.device.deliverNow();
      for (int pair = 0; pair < 2; pair++) {
        final byte[] packet = b.received(pair);
        if (packet != null) {
          assertThat(frameOf(packet)).isEqualTo(frame);
          got[pair]++;
          b.receive(pair, 512);
        }
      }
    }
    assertThat(got[0] + got[1]).isEqualTo(100);
    assertThat(got[0]).isPositive();
    assertThat(got[1]).isPositive();
    assertThat(b.device.info().drops()).isEmpty();
  }

  private byte[] udp(final int flow) {
    final byte[] frame = a.frame(b.mac, 60, random);
    frame[12] = 8;
    frame[13] = 0;
    frame[14] = 0x45;
    frame[20] = 0;
    frame[21] = 0;
    frame[23] = 17;
    for (int i = 26; i < 34; i++) {
      frame[i] = (byte) i;
    }
    frame[34] = (byte) flow;
    return frame;
  }

  @Test
  @DisplayName("a device at rest that is to go on from an older state is what that says")
  void olderStateInTheSameDevice() {
    a.start(NetRig.ALL);
    final VirtioState unused = save(b);
    b.driver.function.goOn();
    b.start(MULTIPLE);
    b.control(CONTROL, TWO_PAIRS);
    buffers();
    exchange(0);
    b.driver.function.save();
    b.driver.function.restore(unused);
    assertThat(b.driver.status()).isZero();
    assertThat(b.device.info().activePairs()).isEqualTo(1);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    b.device.deliverNow();
    assertThat(b.dropped("rx not ready")).as("nobody drives it").isEqualTo(1);
    b.start(NetRig.ALL);
    b.receive(0, 512);
    exchange(0);
  }

  @Test
  @DisplayName("a state that the device refuses leaves it as it was")
  void refusedStateChangesNothing() {
    a.start(NetRig.ALL);
    b.start(MULTIPLE);
    b.control(CONTROL, TWO_PAIRS);
    buffers();
    final VirtioState good = save(b);
    final Map<String, String> wrong = new HashMap<>(good.backend());
    wrong.put("pairs", "3");
    final VirtioState bad =
        new VirtioState(
            good.version(),
            good.type(),
            good.offered(),
            good.accepted(),
            good.status(),
            good.configVector(),
            good.isr(),
            good.selects(),
            good.config(),
            good.queues(),
            wrong);
    assertThatThrownBy(() -> b.driver.function.restore(bad)).hasMessageContaining("pairs=3");
    b.driver.function.goOn();
    assertThat(b.device.info().activePairs()).isEqualTo(2);
    exchange(0);
  }

  @Test
  @DisplayName("without MQ one pair is used, whatever a saved state says")
  void pairsNeedMq() {
    a.start(NetRig.ALL);
    b.start(NetRig.ALL);
    b.receive(0, 512);
    final VirtioState state = save(b);
    b = b.replaced(segment);
    b.device.restore(Map.of("pairs", "2"));
    b.device.negotiated(state.accepted());
    assertThat(b.device.info().activePairs()).isEqualTo(1);
  }
}
