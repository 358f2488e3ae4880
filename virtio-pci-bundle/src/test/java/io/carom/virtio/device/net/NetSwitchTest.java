package io.carom.virtio.device.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.device.kit.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class NetSwitchTest {
  private static final class Port implements SwitchPort {
    final List<byte[]> frames = new ArrayList<>();
    long station = NO_STATION;
    boolean away;
    int resumed;

    @Override
    public boolean deliver(final Frame frame) {
      if (!away) {
        frames.add(frame.toArray());
      }
      return !away;
    }

    @Override
    public long station() {
      return station;
    }

    @Override
    public void resumed() {
      resumed++;
    }
  }

  private long now = Long.MAX_VALUE - 5_000_000_000L; // it may overflow
  private final NetSwitch segment = new NetSwitch("lan", () -> now);
  private final Port[] ports = {new Port(), new Port(), new Port()};

  NetSwitchTest() {
    for (final Port port : ports) {
      segment.join(port);
    }
  }

  private static Frame frame(final long to, final long from) {
    final Frame frame = new Frame();
    frame.prepare(60);
    System.arraycopy(MacAddress.bytes(to), 0, frame.bytes, 0, 6);
    System.arraycopy(MacAddress.bytes(from), 0, frame.bytes, 6, 6);
    return frame;
  }

  private int[] counts() {
    final int[] counts = new int[ports.length];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = ports[i].frames.size();
    }
    return counts;
  }

  @Test
  void unknownStationsAndGroupsGoEverywhereButBack() {
    segment.forward(ports[0], frame(0x020000000001L, 0x020000000002L));
    assertThat(counts()).containsExactly(0, 1, 1);
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x020000000003L));
    assertThat(counts()).containsExactly(1, 1, 2);
    segment.forward(ports[1], frame(0x01005e000001L, 0x020000000003L));
    assertThat(counts()).containsExactly(2, 1, 3);
  }

  @Test
  void aStationIsLearnedAndFollowedWhenItMoves() {
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x02000000000aL));
    segment.forward(ports[0], frame(0x02000000000aL, 0x02000000000bL));
    assertThat(counts()).containsExactly(1, 1, 1);
    segment.forward(ports[2], frame(MacAddress.BROADCAST, 0x02000000000aL));
    segment.forward(ports[0], frame(0x02000000000aL, 0x02000000000bL));
    assertThat(counts()).containsExactly(2, 2, 2);
    segment.forward(ports[2], frame(0x02000000000aL, 0x02000000000aL));
    assertThat(counts()).as("a station behind the port it asks from").containsExactly(2, 2, 2);
  }

  @Test
  @DisplayName("who is away is waited for: with frames for it, of unknown receivers and to groups")
  void framesWaitForWhoIsAway() {
    final long b = 0x02000000000bL;
    final long c = 0x02000000000cL;
    segment.forward(ports[2], frame(MacAddress.BROADCAST, c));
    ports[1].station = b;
    assertThat(segment.stationsBut(c)).containsExactly(b);
    assertThat(segment.stationsBut(b)).isEmpty();
    segment.await(List.of(b));
    assertThat(segment.forward(ports[0], frame(b, 2))).as("it is here").isTrue();
    ports[1].station = SwitchPort.NO_STATION;
    segment.await(List.of(b));
    segment.leave(ports[1]);
    assertThat(segment.stationsBut(c)).containsExactly(b);
    final int[] before = counts();
    assertThat(segment.forward(ports[0], frame(b, 2))).isFalse();
    assertThat(segment.forward(ports[0], frame(0x02000000000dL, 2))).isFalse();
    assertThat(segment.forward(ports[0], frame(MacAddress.BROADCAST, 2))).isFalse();
    assertThat(counts()).containsExactly(before);
    assertThat(segment.forward(ports[0], frame(c, 2))).as("others' go on").isTrue();
    assertThat(counts()[2]).isEqualTo(before[2] + 1);
    segment.returned(c);
    assertThat(ports[0].resumed).as("nobody waits for it").isZero();
    segment.join(ports[1]);
    segment.returned(b);
    assertThat(ports[0].resumed).isEqualTo(1);
    assertThat(segment.forward(ports[0], frame(b, 2))).isTrue();
    assertThat(counts()[1]).isEqualTo(before[1] + 1);
  }

  @Test
  @DisplayName("who does not come back is given up after a while")
  void waitingEnds() {
    final long b = 0x02000000000bL;
    segment.await(List.of(b));
    now += NetSwitch.MOST_AWAY_MS * 1_000_000 - 1;
    assertThat(segment.forward(ports[0], frame(b, 2))).isFalse();
    now++;
    assertThat(segment.forward(ports[0], frame(b, 2))).isTrue();
    assertThat(counts()).containsExactly(0, 1, 1);
    assertThat(segment.stationsBut(2)).isEmpty();
  }

  @Test
  @DisplayName("a port that hands over refuses: its frame comes again, unless nobody follows")
  void refusedFramesWait() {
    final long b = 0x02000000000bL;
    segment.forward(ports[1], frame(MacAddress.BROADCAST, b));
    ports[1].away = true;
    segment.await(List.of(b));
    assertThat(segment.forward(ports[0], frame(b, 2))).isFalse();
    segment.returned(b);
    assertThat(segment.forward(ports[0], frame(b, 2))).as("it is lost").isTrue();
    assertThat(ports[1].frames).isEmpty();
  }

  @Test
  void aPortThatLeavesIsForgotten() {
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x02000000000aL));
    segment.leave(ports[1]);
    assertThat(segment.stations()).isZero();
    segment.forward(ports[0], frame(0x02000000000aL, 0x02000000000bL));
    assertThat(counts()).containsExactly(1, 0, 2);
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x02000000000cL));
    assertThat(segment.stations()).as("a late frame of it teaches nothing").isEqualTo(1);
  }

  @Test
  void aGroupIsNoSource() {
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x01005e000001L));
    assertThat(segment.stations()).isZero();
    segment.forward(ports[0], frame(0x01005e000001L, 0x02000000000bL));
    assertThat(counts()).containsExactly(1, 1, 2);
  }

  @Test
  void aFrameWithoutAHeaderIsAnError() {
    final Frame frame = new Frame();
    frame.prepare(13);
    assertThatThrownBy(() -> segment.forward(ports[0], frame))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("13 bytes");
  }

  @Test
  void inventedStationsDoNotFillMemory() {
    final Random random = Seed.random("NetSwitchTest");
    for (int i = 0; i < 20_000; i++) {
      final long from = random.nextLong() & 0xfeff_ffff_ffffL;
      segment.forward(ports[i % 3], frame(from, from));
    }
    assertThat(segment.stations()).isBetween(1500, 2048);
    segment.forward(ports[1], frame(MacAddress.BROADCAST, 0x02000000000aL));
    final int before = ports[1].frames.size();
    segment.forward(ports[0], frame(0x02000000000aL, 0x02000000000bL));
    assertThat(ports[1].frames).as("new ones are learned all the same").hasSize(before + 1);
  }

  @Test
  void addressesAreReadAndWritten() {
    final long made = MacAddress.of("net0");
    assertThat(made).isEqualTo(MacAddress.of("net0")).isNotEqualTo(MacAddress.of("net1"));
    assertThat(MacAddress.isGroup(made)).isFalse();
    assertThat(MacAddress.text(made)).startsWith("02:").hasSize(17);
    assertThat(MacAddress.parse(MacAddress.text(made))).isEqualTo(made);
    for (final String wrong :
        new String[] {"", "02:00", "01:00:00:00:00:01", "00:00:00:00:00:00", "2:0:0:0:0:0:1"}) {
      assertThatThrownBy(() -> MacAddress.parse(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("mac=" + wrong);
    }
  }
}
