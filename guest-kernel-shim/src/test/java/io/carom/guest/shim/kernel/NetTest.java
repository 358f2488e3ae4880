package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.Network.PingJob;
import io.carom.guest.Network.PingResult;
import io.carom.guest.Network.ThroughputJob;
import io.carom.guest.Network.ThroughputResult;
import io.carom.guest.NetworkInterface.NetCounters;
import io.carom.virtio.RingOptions;
import io.carom.virtio.RingOptions.Layout;
import io.carom.virtio.VirtioFeatures;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The guest's network driver and stack on the host's network devices. */
@Timeout(120)
class NetTest {
  private static final int PATIENCE_MS = 30_000;
  private static final int TRIES = 50;
  private static final RingOptions SPLIT = new RingOptions(Layout.SPLIT, false, true, true);

  static Stream<RingOptions> rings() {
    return Stream.of(
        SPLIT,
        new RingOptions(Layout.SPLIT, false, false, false),
        new RingOptions(Layout.SPLIT, true, true, true),
        new RingOptions(Layout.PACKED, false, true, true),
        new RingOptions(Layout.PACKED, true, false, false));
  }

  private static ThroughputJob job(final int jobs, final int bytes, final long datagrams) {
    return new ThroughputJob("eth0", "eth1", 60_000, bytes, jobs, datagrams, 42);
  }

  private static PingJob patient(final String to, final int count) {
    return new PingJob("eth0", to, count, 56, 0, PATIENCE_MS);
  }

  /**
   * Every datagram arrives, once, in order and whole. A sender whose receiver gets no processor for
   * a while takes what is under way for lost and sends on, which may be more than there is room
   * for: what did not arrive then was dropped and counted, and the workload is run again.
   */
  private static void isClean(final NetGuest guest, final ThroughputJob job, final long sent)
      throws InterruptedException {
    ThroughputResult result = run(guest, job, sent);
    for (int tries = 1; tries < TRIES && result.lost() != 0; tries++) {
      result = run(guest, job, sent);
    }
    assertThat(result.received()).as("%s", result).isEqualTo(sent);
  }

  private static ThroughputResult run(
      final NetGuest guest, final ThroughputJob job, final long sent) throws InterruptedException {
    final long before = drops(guest);
    final ThroughputResult result = guest.network().throughput(job);
    assertThat(result.sent()).as("%s", result).isEqualTo(sent);
    assertThat(result.received() + result.lost()).isEqualTo(sent);
    assertThat(result.corrupt()).as(result.firstCorruption()).isZero();
    assertThat(result.duplicated()).isZero();
    assertThat(result.reordered()).isZero();
    assertThat(result.verifiedBytes()).isEqualTo(result.received() * result.sizeBytes());
    guest.test.await("the account of " + result, () -> drops(guest) - before >= result.lost());
    return result;
  }

  /** What devices and interfaces have dropped, and said so. */
  private static long drops(final NetGuest guest) {
    final long devices =
        guest.devices.stream()
            .flatMap(device -> device.info().drops().values().stream())
            .mapToLong(Long::longValue)
            .sum();
    final long interfaces =
        guest.test.guest.networkInterfaces().stream()
            .mapToLong(of -> of.counters().txDropped() + of.counters().rxDropped())
            .sum();
    return devices + interfaces;
  }

  @ParameterizedTest
  @MethodSource("rings")
  void packetsPassOnAnyRing(final RingOptions ring) throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, ring)) {
      final boolean packed =
          (guest.function(0).info().accepted() & VirtioFeatures.RING_PACKED) != 0;
      assertThat(packed).isEqualTo(ring.layout() == Layout.PACKED);
      final PingResult ping = guest.network().ping(patient("eth1", 20));
      assertThat(ping.received()).as("%s", ping).isEqualTo(20);
      assertThat(ping.corrupt()).isZero();
      assertThat(ping.minUs()).isPositive().isLessThanOrEqualTo(ping.avgUs());
      isClean(guest, job(1, 0, 3000), 3000);
      isClean(guest, job(3, 33, 500), 1500);
    }
  }

  @Test
  void severalPairsCarryFlowsSideBySide() throws Exception {
    try (NetGuest guest = NetGuest.pair(4, 1500, SPLIT)) {
      assertThat(guest.eth(0).queuePairs()).isEqualTo(4);
      assertThat(guest.devices.getFirst().info().activePairs()).isEqualTo(4);
      isClean(guest, job(8, 0, 500), 4000);
      final long used =
          guest.function(0).info().queues().stream()
              .filter(queue -> queue.index() % 2 == 1 && queue.popped() > 0)
              .count();
      assertThat(used).as("transmit queues that carried something").isEqualTo(4);
    }
  }

  @Test
  void aSmallAndALargeMtu() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 128, SPLIT)) {
      isClean(guest, job(1, 0, 500), 500);
      assertThat(
              guest.network().ping(new PingJob("eth1", "eth0", 2, 100, 0, PATIENCE_MS)).received())
          .isEqualTo(2);
    }
    try (NetGuest guest = NetGuest.pair(1, 9000, SPLIT)) {
      // a frame of 9000 bytes takes five receive buffers
      isClean(guest, job(2, 0, 500), 1000);
      assertThat(
              guest.network().ping(new PingJob("eth0", "eth1", 2, 8972, 0, PATIENCE_MS)).received())
          .isEqualTo(2);
      assertThatThrownBy(
              () -> guest.network().ping(new PingJob("eth0", "eth1", 2, 8973, 0, PATIENCE_MS)))
          .hasMessage("size 8973 is not in 0..8972");
    }
  }

  @Test
  void anInterfaceSaysWhatItIs() {
    try (NetGuest guest = NetGuest.pair(1, 1400, SPLIT)) {
      assertThat(guest.eth(0).mtu()).isEqualTo(1400);
      assertThat(guest.eth(0).mac()).isEqualTo(guest.devices.getFirst().info().mac());
      assertThat(guest.eth(0).address()).isEqualTo("0000:00:04.0");
      assertThat(guest.eth(0).linkUp()).isTrue();
      assertThat(guest.eth(0).live()).isTrue();
      assertThat(guest.eth(0).ipv4()).startsWith("169.254.").endsWith("/16");
      assertThat(guest.eth(0).ipv4()).isNotEqualTo(guest.eth(1).ipv4());
      assertThat(String.join("\n", guest.test.guest.dmesg()))
          .contains("virtio_net virtio0: eth0: " + guest.eth(0).mac());
    }
  }

  @Test
  void addressesAreGivenAndChecked() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, SPLIT)) {
      guest.network().address("eth0", "10.0.0.1/24");
      assertThatThrownBy(() -> guest.network().ping(PingJob.of("eth0", "eth1", 1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not on the network of eth0 (10.0.0.1/24)");
      guest.network().address("eth1", "10.0.0.2/24");
      assertThat(guest.network().ping(patient("10.0.0.2", 3)).received()).isEqualTo(3);
      assertThatThrownBy(() -> guest.network().ping(PingJob.of("eth0", "10.0.0.3", 1)))
          .hasMessageContaining("answers for 10.0.0.3");
      for (final Map.Entry<String, String> wrong :
          Map.of(
                  "10.0.0.1", "no IPv4 address with prefix",
                  "10.0.0.0/24", "not the address of one host",
                  "10.0.0.256/24", "no IPv4 address",
                  "10.0.0.1/31", "prefix is not in",
                  "127.0.0.1/8", "not the address of one host",
                  "10.0.0.2/24", "is that of eth1")
              .entrySet()) {
        assertThatThrownBy(() -> guest.network().address("eth0", wrong.getKey()))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining(wrong.getValue());
      }
      assertThatThrownBy(() -> guest.network().address("eth7", "10.0.0.1/24"))
          .hasMessage("there is no interface 'eth7': there are eth0, eth1");
      assertThatThrownBy(() -> guest.network().ping(PingJob.of("eth0", "eth0", 1)))
          .hasMessageContaining("is eth0 itself");
    }
  }

  @Test
  void mapsThatFailAreTriedAgain() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, SPLIT)) {
      assertThat(guest.network().ping(patient("eth1", 1)).received()).isEqualTo(1);
      guest.test.dma.failMaps.set(40);
      isClean(guest, job(2, 0, 500), 1000);
      final NetCounters a = guest.eth(0).counters();
      final NetCounters b = guest.eth(1).counters();
      assertThat(a.mapFailures() + b.mapFailures()).isEqualTo(40);
      assertThat(a.resets() + b.resets()).isZero();
    }
  }

  @Test
  void aLinkThatGoesDownIsSeenAndComesBack() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, SPLIT)) {
      guest.devices.get(1).linkUp(false);
      guest.test.await("the link is down", () -> !guest.eth(1).linkUp());
      assertThatThrownBy(() -> guest.network().ping(PingJob.of("eth0", "eth1", 1)))
          .hasMessageContaining("nobody on the segment of eth0 answers");
      guest.devices.get(1).linkUp(true);
      guest.test.await("the link is up", () -> guest.eth(1).linkUp());
      assertThat(guest.network().ping(patient("eth1", 3)).received()).isEqualTo(3);
    }
  }

  @Test
  void nothingStaysMappedAndTheDeviceComesBack() throws Exception {
    try (NetGuest guest = NetGuest.pair(2, 1500, SPLIT)) {
      isClean(guest, job(2, 0, 300), 600);
      final var before = guest.test.dmaDevice();
      guest.test.guest.rebind("00:04.0");
      assertThat(before.closed).isTrue();
      assertThat(before.liveMappings()).isZero();
      isClean(guest, job(2, 0, 300), 600);
    }
  }

  @Test
  void aDeviceThatAsksForAResetGoesOn() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, SPLIT)) {
      for (int i = 0; i < 3; i++) {
        final long resets = guest.eth(0).counters().resets();
        guest.test.await("it works", () -> ping(guest) == 2);
        guest.devices.getFirst().needsReset("a test wants it");
        guest.test.await("it was reset", () -> guest.eth(0).counters().resets() > resets);
      }
      guest.test.await("it works again", () -> ping(guest) == 2);
      assertThat(guest.eth(0).live()).isTrue();
    }
  }

  static long ping(final NetGuest guest) {
    try {
      return guest.network().ping(PingJob.of("eth0", "eth1", 2)).received();
    } catch (final IllegalArgumentException e) {
      return 0; // it is being reset
    } catch (final InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
