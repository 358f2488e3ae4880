package io.carom.virtio.device.net;

import static io.carom.virtio.device.net.NetRig.frameOf;
import static io.carom.virtio.device.net.NetRig.packet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Seed;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A network device: what it offers, its control queue, its link, and its life. */
class NetDeviceTest {
  private static final long MULTIPLE = NetRig.ALL | VirtioFeatures.NET_MQ;
  private static final byte[] TWO_PAIRS = {4, 0, 2, 0};

  private final Random random = Seed.random("NetDeviceTest");
  private final NetSwitch segment = new NetSwitch("test");
  private final NetRig a = new NetRig(segment, "a", 1);
  private final NetRig b = new NetRig(segment, "b", 4);

  private void pass(final NetRig from, final NetRig to) {
    final byte[] frame = from.frame(to.mac, 60, random);
    to.receive(0, 512);
    from.send(0, packet(frame));
    to.device.deliverNow();
    assertThat(frameOf(to.mustReceive(0))).isEqualTo(frame);
  }

  @Test
  void itIsANetworkCard() {
    assertThat(b.device.id()).isEqualTo(1);
    assertThat(b.device.classCode()).isEqualTo(0x020000);
    assertThat(b.device.queues()).isEqualTo(9);
    assertThat(a.driver.offered() & 0xffffff).isEqualTo(NetRig.ALL);
    assertThat(b.driver.offered() & 0xffffff).isEqualTo(MULTIPLE);
    for (int i = 0; i < 6; i++) {
      assertThat(b.driver.get(NetRig.CONFIG + i, 1)).isEqualTo(MacAddress.bytes(b.mac)[i] & 0xff);
    }
    assertThat(b.driver.get(NetRig.CONFIG + NetDescriptor.CONFIG_STATUS, 2)).isEqualTo(1);
    assertThat(b.driver.get(NetRig.CONFIG + NetDescriptor.CONFIG_MAX_PAIRS, 2)).isEqualTo(4);
    assertThat(b.driver.get(NetRig.CONFIG + NetDescriptor.CONFIG_MTU, 2)).isEqualTo(1500);
    assertThat(b.device.backend()).contains("segment test", MacAddress.text(b.mac), "link up");
  }

  @Test
  void featuresThatNeedOthersAreRefusedWithoutThem() {
    assertThat(b.driver.negotiate(VirtioFeatures.NET_MQ)).isFalse();
    assertThat(b.driver.function.info().lastError()).contains("MQ needs CTRL_VQ");
    assertThat(b.driver.negotiate(VirtioFeatures.NET_MQ | VirtioFeatures.NET_CTRL_VQ)).isTrue();
    assertThat(NetFeatures.refuse(1L << 9)).isEqualTo("GUEST_ECN needs GUEST_TSO4 or GUEST_TSO6");
    assertThat(NetFeatures.refuse(1L << 9 | 1L << 8)).isEqualTo("GUEST_TSO6 needs GUEST_CSUM");
    assertThat(NetFeatures.refuse(1L << 9 | 1L << 8 | 1L << 1)).isNull();
  }

  @Test
  void theDriverChoosesHowManyPairsItUses() {
    b.start(MULTIPLE);
    assertThat(b.device.info().activePairs()).isEqualTo(1);
    for (final int pairs : new int[] {4, 1, 3}) {
      assertThat(b.control(8, new byte[] {4, 0, (byte) pairs, 0})).isZero();
      assertThat(b.device.info().activePairs()).isEqualTo(pairs);
    }
    for (final int wrong : new int[] {0, 5, 0x8000, 0xffff, 0x100}) {
      assertThat(b.control(8, new byte[] {4, 0, (byte) wrong, (byte) (wrong >>> 8)})).isEqualTo(1);
    }
    assertThat(b.device.info().activePairs()).isEqualTo(3);
  }

  @Test
  void unknownControlRequestsAreAnsweredWithAnError() {
    b.start(MULTIPLE);
    final byte[][] requests = {
      {0},
      {4},
      {4, 0},
      {4, 0, 2},
      {4, 0, 2, 0, 0},
      {4, 1, 2, 0},
      {0, 0, 1, 0},
      {1, 0, 2, 0},
      {5, 0, 2, 0},
      {-1, -1, 2, 0}
    };
    for (final byte[] request : requests) {
      assertThat(b.control(8, request)).as("%s", request).isEqualTo(1);
    }
    assertThat(b.device.info().activePairs()).isEqualTo(1);
    assertThat(b.driver.needsReset()).isFalse();
    assertThat(b.queues[8].usedLength(0)).isEqualTo(1);
  }

  @Test
  void aControlRequestMayBeCutAnywhere() {
    b.start(MULTIPLE);
    for (final int[] cut : new int[][] {{1, 3}, {2, 2}, {3, 1}, {1, 1, 2}, {1, 1, 1, 1}}) {
      assertThat(b.control(8, new byte[] {4, 0, 1, 0}, cut)).isZero();
      assertThat(b.control(8, TWO_PAIRS, cut)).isZero();
      assertThat(b.device.info().activePairs()).isEqualTo(2);
    }
  }

  @Test
  void aControlRequestWithoutRoomForAnAnswerBreaksTheQueue() {
    b.start(MULTIPLE);
    b.offer(8, false, 4);
    b.kick(8);
    assertThat(b.driver.needsReset()).isTrue();
    b.start(MULTIPLE);
    assertThat(b.control(8, TWO_PAIRS)).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, VirtioFeatures.EVENT_IDX})
  void withoutMqTheControlQueueIsNumberTwo(final long ring) {
    b.start(NetRig.ALL | ring);
    for (int i = 0; i < 5; i++) {
      assertThat(b.control(2, TWO_PAIRS)).as("MQ was not accepted").isEqualTo(1);
    }
    assertThat(b.queues[2].usedIndex()).isEqualTo(5);
    a.start(NetRig.ALL);
    assertThat(a.control(2, TWO_PAIRS)).isEqualTo(1);
  }

  @Test
  void aFlowComesBackOnThePairThatItWasSentOn() {
    a.start(NetRig.ALL);
    b.start(MULTIPLE);
    b.control(8, new byte[] {4, 0, 4, 0});
    for (int pair = 0; pair < 4; pair++) {
      for (int i = 0; i < 8; i++) {
        b.receive(pair, 512);
      }
    }
    final byte[][] flows = new byte[16][];
    for (int flow = 0; flow < flows.length; flow++) {
      flows[flow] = udp(b, a.mac, 1000 + flow, 2000 + flow);
      b.send(flow % 4, packet(flows[flow]));
    }
    int right = 0;
    for (int flow = 0; flow < flows.length; flow++) {
      a.send(0, packet(udp(a, b.mac, 2000 + flow, 1000 + flow)));
      b.device.deliverNow();
      right += b.received(flow % 4) == null ? 0 : 1;
    }
    // two flows may share an entry of the table; most do not
    assertThat(right).isGreaterThanOrEqualTo(14);
    assertThat(b.device.info().rxFrames()).isEqualTo(16);
  }

  private byte[] udp(final NetRig from, final long to, final int source, final int target) {
    final byte[] frame = from.frame(to, 60, random);
    frame[12] = 8;
    frame[13] = 0;
    frame[14] = 0x45;
    frame[20] = 0;
    frame[21] = 0;
    frame[23] = 17;
    final int own = from == a ? 1 : 2;
    for (int i = 26; i < 34; i++) {
      frame[i] = 10;
    }
    frame[29] = (byte) own;
    frame[33] = (byte) (3 - own);
    frame[34] = (byte) (source >>> 8);
    frame[35] = (byte) source;
    frame[36] = (byte) (target >>> 8);
    frame[37] = (byte) target;
    return frame;
  }

  @Test
  void noFrameComesOnAPairThatWasGivenUp() {
    a.start(NetRig.ALL);
    b.start(MULTIPLE);
    b.control(8, new byte[] {4, 0, 4, 0});
    for (int i = 0; i < 64; i++) {
      a.send(0, packet(udp(a, b.mac, i, 7 * i)));
    }
    b.control(8, new byte[] {4, 0, 1, 0});
    for (int pair = 0; pair < 4; pair++) {
      for (int i = 0; i < 32; i++) {
        b.receive(pair, 512);
      }
      b.kick(2 * pair);
    }
    for (int i = 0; i < 64; i++) {
      a.send(0, packet(udp(a, b.mac, i, 7 * i)));
      b.device.deliverNow();
    }
    assertThat(b.received(0)).isNotNull();
    for (int pair = 1; pair < 4; pair++) {
      assertThat(b.received(pair)).isNull();
    }
    assertThat(b.dropped("rx not ready")).isPositive();
  }

  @Test
  void aLinkThatIsDownCarriesNothing() {
    a.start(NetRig.ALL);
    b.start(MULTIPLE);
    pass(a, b);
    b.bus.messages.clear();
    b.device.linkUp(false);
    assertThat(b.bus.messages).as("the driver is told").containsExactly(0);
    assertThat(b.driver.isr() & CommonCfgDescriptor.ISR_CONFIG).isNotZero();
    assertThat(b.driver.get(NetRig.CONFIG + NetDescriptor.CONFIG_STATUS, 2)).isZero();
    b.receive(0, 512);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    b.send(0, packet(b.frame(a.mac, 60, random)));
    b.device.deliverNow();
    assertThat(b.received(0)).isNull();
    assertThat(b.dropped("rx link down")).isEqualTo(1);
    assertThat(b.dropped("tx link down")).isEqualTo(1);
    assertThat(b.queues[1].usedIndex()).as("the chain is returned").isEqualTo(1);
    b.device.linkUp(true);
    assertThat(b.bus.messages.stream().filter(vector -> vector == 0)).hasSize(2);
    pass(a, b);
  }

  @Test
  void aDriverWithoutStatusIsNotTold() {
    b.start(0);
    b.bus.messages.clear();
    b.device.linkUp(false);
    assertThat(b.bus.messages).isEmpty();
  }

  @Test
  void aFrameOfBeforeAResetIsNotDeliveredAfterIt() {
    a.start(0);
    b.start(VirtioFeatures.NET_MRG_RXBUF);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    b.device.deliverNow();
    b.driver.status(0);
    assertThat(b.dropped("rx not ready")).isEqualTo(1);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    assertThat(b.dropped("rx not ready")).as("no driver, no frame").isEqualTo(2);
    b.start(0);
    b.receive(0, 512);
    b.kick(0);
    b.device.deliverNow();
    assertThat(b.received(0)).isNull();
    pass(a, b);
  }

  @Test
  void whatWasSentBeforeTheSenderWasTakenOutArrives() {
    a.start(0);
    b.start(0);
    final byte[] frame = a.frame(b.mac, 60, random);
    a.send(0, packet(frame));
    a.driver.function.unplugged();
    assertThat(segment.size()).isEqualTo(1);
    b.receive(0, 512);
    b.kick(0);
    b.device.deliverNow();
    assertThat(frameOf(b.mustReceive(0))).isEqualTo(frame);
  }

  @Test
  void aDeviceThatIsTakenOutAndPluggedAgainGoesOn() {
    a.start(0);
    b.start(0);
    pass(a, b);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    b.driver.function.unplugged();
    assertThat(b.dropped("rx not ready")).isEqualTo(1);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    assertThat(b.dropped("rx not ready")).as("it is not on the switch").isEqualTo(1);
    b.driver.function.plugged(b.bus);
    b.start(0);
    b.receive(0, 512);
    pass(a, b);
    b.device.close();
    assertThat(segment.size()).isEqualTo(1);
  }

  @Test
  void itsStateIsSavedAndTakenUpAgain() {
    b.start(MULTIPLE);
    b.control(8, TWO_PAIRS);
    b.device.linkUp(false);
    final Map<String, String> saved = b.device.save();
    final String mac = saved.getOrDefault("mac", "");
    assertThat(mac).matches("([0-9a-f]{2}:){5}[0-9a-f]{2}");
    assertThat(saved)
        .containsOnly(
            Map.entry("link", "down"),
            Map.entry("pairs", "2"),
            Map.entry("mtu", "1500"),
            Map.entry("mac", mac));
    final NetRig other = new NetRig(segment, "c", 4);
    other.start(MULTIPLE);
    assertThatThrownBy(() -> other.device.resume(saved))
        .as("its driver knows another address")
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(mac);
    other.device.restore(saved); // by hand: what is looked at is up to who does it
    assertThat(other.device.info().linkUp()).isFalse();
    assertThat(other.device.info().activePairs()).isEqualTo(2);
    other.device.restore(Map.of());
    assertThat(other.device.info().linkUp()).isTrue();
    for (final Map<String, String> wrong :
        List.of(
            Map.of("pairs", "5"),
            Map.of("pairs", "x"),
            Map.of("link", "sideways"),
            Map.of("mtu", "1501"),
            Map.of("mtu", "-1"))) {
      assertThatThrownBy(() -> other.device.restore(wrong))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aHostileRingCostsItsDeviceOnly() {
    a.start(0);
    b.start(0);
    a.queues[1].offer(NetRig.SIZE); // no such head
    a.kick(1);
    assertThat(a.driver.needsReset()).isTrue();
    assertThat(b.driver.status() & VirtioStatus.NEEDS_RESET).isZero();
    b.queues[0].offer(200);
    b.kick(0);
    a.start(0);
    a.send(0, packet(a.frame(b.mac, 60, random)));
    b.device.deliverNow();
    assertThat(b.driver.needsReset()).isTrue();
    b.start(0);
    pass(a, b);
  }
}
