package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.NetworkInterface;
import io.carom.guest.NetworkInterface.NetCounters;
import io.carom.guest.shim.fake.FakeNet;
import io.carom.virtio.NetDescriptor;
import io.carom.virtio.VirtioStatus;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A network device that lies, under the guest's driver. */
@Timeout(120)
class HostileNetTest {
  private static final int SIZE = 16;
  private static final int IP = NetDescriptor.HEADER_SIZE + 14;

  private final TestGuest test = new TestGuest();
  private FakeNet device = new FakeNet(test.msi, test.memory, SIZE);

  @BeforeEach
  void boot() {
    device = test.bus.add("00:04.0", device);
    test.boot();
    awaitBuffers();
  }

  @AfterEach
  void stop() {
    test.close();
  }

  private void awaitBuffers() {
    test.await("buffers", () -> device.driven() && device.buffers() == SIZE);
  }

  private NetworkInterface eth0() {
    final var all = test.guest.networkInterfaces();
    assertThat(all).as("%s", test.guest.dmesg()).hasSize(1);
    return all.getFirst();
  }

  private NetCounters counters() {
    return eth0().counters();
  }

  /** An ARP request for the interface, which it must answer. */
  private byte[] arp() {
    final byte[] packet = new byte[NetDescriptor.HEADER_SIZE + 42];
    packet[NetDescriptor.HEADER_NUM_BUFFERS] = 1;
    final int at = NetDescriptor.HEADER_SIZE;
    Arrays.fill(packet, at, at + 6, (byte) 0xff);
    final byte[] sender = {2, 0, 0, 0, 0, 9};
    System.arraycopy(sender, 0, packet, at + 6, 6);
    packet[at + 12] = 8;
    packet[at + 13] = 6;
    final byte[] head = {0, 1, 8, 0, 6, 4, 0, 1};
    System.arraycopy(head, 0, packet, at + 14, 8);
    System.arraycopy(sender, 0, packet, at + 22, 6);
    final byte[] from = {(byte) 169, (byte) 254, 7, 7};
    System.arraycopy(from, 0, packet, at + 28, 4);
    final String[] own = eth0().ipv4().replaceAll("/.*", "").split("\\.");
    for (int i = 0; i < 4; i++) {
      packet[at + 38 + i] = (byte) Integer.parseInt(own[i]);
    }
    return packet;
  }

  private void answers() {
    final int before = device.sent.size();
    final byte[] request = arp();
    awaitBuffers();
    device.bring(request, request.length);
    test.await("an answer", () -> device.sent.size() == before + 1);
    final byte[] answer = device.sent.getLast();
    assertThat(answer[NetDescriptor.HEADER_SIZE + 21]).as("ARP reply").isEqualTo((byte) 2);
    assertThat(Arrays.copyOfRange(answer, 12, 18)).isEqualTo(new byte[] {2, 0, 0, 0, 0, 9});
  }

  /** What comes is counted as wrong, and costs nothing else. */
  private void isAnError(final byte[] packet) {
    final long before = counters().rxErrors();
    device.bring(packet, packet.length);
    test.await("the error is counted", () -> counters().rxErrors() == before + 1);
    awaitBuffers();
    assertThat(counters().resets()).isZero();
  }

  @Test
  void itWorksAtAll() {
    answers();
    assertThat(counters().rxErrors()).isZero();
    assertThat(eth0().mac()).isEqualTo("02:00:00:00:00:77");
  }

  @Test
  void packetsWithoutRoomForTheirHeadersCostThemselves() {
    for (final int length : new int[] {0, 1, 11, 12, 13, 25}) {
      final byte[] packet = Arrays.copyOf(arp(), length);
      isAnError(packet);
    }
    answers();
  }

  @Test
  void aPacketThatClaimsBuffersWhichDidNotComeCostsItself() {
    for (final int claimed : new int[] {0, 2, 3, SIZE + 1, 0xffff}) {
      final byte[] packet = arp();
      packet[NetDescriptor.HEADER_NUM_BUFFERS] = (byte) claimed;
      packet[NetDescriptor.HEADER_NUM_BUFFERS + 1] = (byte) (claimed >>> 8);
      isAnError(packet);
    }
    answers();
  }

  @Test
  void headersThatWereNotNegotiatedCostTheirPacket() {
    final byte[] segmented = arp();
    segmented[NetDescriptor.HEADER_GSO_TYPE] = 1;
    isAnError(segmented);
    final byte[] checksum = arp();
    checksum[NetDescriptor.HEADER_FLAGS] = NetDescriptor.F_NEEDS_CSUM;
    checksum[NetDescriptor.HEADER_CSUM_START] = 41;
    isAnError(checksum);
    checksum[NetDescriptor.HEADER_CSUM_START + 1] = (byte) 0xff;
    checksum[NetDescriptor.HEADER_CSUM_OFFSET + 1] = (byte) 0xff;
    isAnError(checksum);
    answers();
  }

  @Test
  void nonsenseAboveEthernetIsCounted() {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    System.out.println("HostileNetTest: -Dcarom.seed=" + seed);
    final Random random = new Random(seed);
    final long before = counters().rxPackets();
    for (int i = 0; i < 400; i++) {
      final byte[] packet = arp();
      final boolean ip = random.nextBoolean();
      if (ip) {
        packet[NetDescriptor.HEADER_SIZE + 13] = 0;
        packet[IP] = (byte) (0x40 | random.nextInt(16));
      }
      final int length = 26 + random.nextInt(packet.length - 25);
      for (int at = NetDescriptor.HEADER_SIZE + 14; at < packet.length; at++) {
        if (random.nextInt(4) == 0) {
          packet[at] = (byte) random.nextInt();
        }
      }
      test.await("a buffer", () -> device.buffers() > 0);
      device.bring(Arrays.copyOf(packet, length), length);
    }
    test.await("all were looked at", () -> counters().rxPackets() == before + 400);
    assertThat(counters().resets()).isZero();
    answers();
  }

  @Test
  void aUsedLengthAboveTheBuffersResetsTheDevice() {
    answers();
    device.bring(new byte[0], 2049);
    wasReset(1);
    answers();
    device.bring(new byte[0], 0xffff_ffffL);
    wasReset(2);
    answers();
  }

  @Test
  void aUsedIdThatIsNoneResetsTheDevice() {
    answers();
    device.useId(SIZE);
    wasReset(1);
    answers();
    device.useId(0xffff_ffff);
    wasReset(2);
    answers();
  }

  /** Resets that are over; the counter counts them when they begin. */
  private long resetsTold() {
    return test.guest.dmesg().stream().filter(line -> line.endsWith(": reset")).count();
  }

  private void wasReset(final long times) {
    test.await("reset " + times, () -> resetsTold() == times);
    assertThat(counters().resets()).isEqualTo(times);
    awaitBuffers();
  }

  @Test
  void aDeviceThatTakesNothingIsResetAndThenGivenUp() {
    answers();
    device.silent = true;
    final byte[] request = arp();
    for (int i = 1; i < 10 && eth0().live(); i++) {
      // not into a ring that a reset is about to take away
      test.await(
          "buffers",
          () -> !eth0().live() || (device.buffers() > 0 && resetsTold() == counters().resets()));
      if (!eth0().live()) {
        break;
      }
      // an answer that never leaves; what comes in is no progress for long
      device.bring(request, request.length);
      final long resets = counters().resets();
      test.await(
          "a reset, or the end",
          () -> {
            test.ahead.addAndGet(6_000_000_000L); // also once the answer is under way
            LockSupport.parkNanos(1_000_000);
            return counters().resets() > resets || !eth0().live();
          });
      // at most the answer of before, which may be counted late
      assertThat(counters().txPackets()).isLessThanOrEqualTo(1);
    }
    assertThat(String.join("\n", test.guest.dmesg())).contains("transmit queue 1 timed out");
    assertThat(test.dmaDevice().closed).isFalse();
  }

  @Test
  void resetsThatDoNotHelpEnd() {
    answers();
    for (int i = 0; i < 8 && eth0().live(); i++) {
      final long resets = counters().resets();
      test.await(
          "a reset",
          () -> {
            device.needsReset(); // one that is asked for within a reset is forgotten with it
            LockSupport.parkNanos(1_000_000);
            return counters().resets() > resets || !eth0().live();
          });
    }
    test.await("it is given up", () -> (device.status() & VirtioStatus.FAILED) != 0);
    assertThat(eth0().live()).isFalse();
    assertThat(String.join("\n", test.guest.dmesg())).contains("virtio_net virtio0: given up: ");
  }

  @Test
  void interruptsWithoutCauseAreNothing() {
    for (int i = 0; i < 1000; i++) {
      device.spurious(i % 2);
    }
    answers();
    assertThat(counters().resets()).isZero();
  }

  @Test
  void aDeviceThatIsTakenOutLeavesNothingBehind() {
    answers();
    final var dma = test.dmaDevice();
    test.bus.surpriseRemove("00:04.0");
    test.await("it is gone", () -> test.guest.networkInterfaces().isEmpty());
    test.await("its DMA device too", () -> dma.closed);
    assertThat(dma.liveMappings()).isZero();
  }
}
