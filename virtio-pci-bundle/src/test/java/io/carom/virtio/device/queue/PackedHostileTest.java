package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.PackedDriver;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Hostile packed rings: each leaves the device in need of a reset, with nothing moved. */
class PackedHostileTest {
  private static final long RING = RingRig.RING;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x20100;
  private static final long TABLE = 0x21000;
  private static final long DATA = RingRig.DATA;
  private static final int N = 16;
  private static final int ON = PackedDriver.AVAIL;

  private static Arguments row(
      final String name, final String reason, final Consumer<PackedDriver> action) {
    return Arguments.of(Named.of(name, action), reason);
  }

  static Stream<Arguments> rows() {
    return Stream.of(
        row(
            "H4 H28 a ring that is all NEXT",
            "more descriptors than the queue's size 16, or a loop",
            q -> {
              for (int i = N - 1; i >= 0; i--) {
                q.raw(i, HEADER, 1, 0, NEXT | ON);
              }
            }),
        row(
            "H28 NEXT, then a descriptor of zeros",
            "descriptor 1 is not available",
            q -> q.raw(0, HEADER, 16, 0, NEXT | ON)),
        row(
            "H28 NEXT, then a used descriptor",
            "descriptor 1 is not available",
            q -> {
              q.raw(1, STATUS, 1, 0, WRITE | ON | PackedDriver.USED);
              q.raw(0, HEADER, 16, 0, NEXT | ON);
            }),
        row("H5 zero length", "length 0", q -> q.raw(0, HEADER, 0, 0, ON)),
        row(
            "H5 zero-length status",
            "length 0",
            q -> {
              q.raw(1, STATUS, 0, 0, WRITE | ON);
              q.raw(0, HEADER, 16, 0, NEXT | ON);
            }),
        row(
            "H6 unmapped",
            "not reachable: UNMAPPED",
            q -> request(q, FakeBus.RAM_BYTES, 512, WRITE)),
        row("H6 wraps around", "not reachable: UNMAPPED", q -> request(q, -256, 512, WRITE)),
        row(
            "H6 length 0xfffffe00",
            "not reachable: UNMAPPED",
            q -> request(q, DATA, 0xfffffe00L, WRITE)),
        row(
            "H7 total beyond 2^32",
            "the chain is longer than 2^32 bytes",
            q -> {
              q.raw(3, STATUS, 1, 0, WRITE | ON);
              q.raw(2, DATA, 0xffffffffL, 0, WRITE | NEXT | ON);
              q.raw(1, DATA, 0xffffffffL, 0, WRITE | NEXT | ON);
              q.raw(0, HEADER, 16, 0, NEXT | ON);
            }),
        row(
            "H9 readable after writable",
            "readable descriptor follows a writable one",
            q -> {
              q.raw(3, STATUS, 1, 0, WRITE | ON);
              q.raw(2, DATA, 512, 0, NEXT | ON);
              q.raw(1, DATA, 512, 0, WRITE | NEXT | ON);
              q.raw(0, HEADER, 16, 0, NEXT | ON);
            }),
        row("H10 indirect length 0", "table of 0 bytes", q -> indirect(q, 0)),
        row("H10 indirect length 8", "table of 8 bytes", q -> indirect(q, 8)),
        row("H10 indirect length 47", "table of 47 bytes", q -> indirect(q, 47)),
        row(
            "H11 indirect longer than the queue",
            "longer than the queue's size 16",
            q -> indirect(q, 16L * (N + 1))),
        row(
            "H11 indirect length 0xfffffff0",
            "longer than the queue's size 16",
            q -> indirect(q, 0xfffffff0L)),
        row(
            "H12 a table that names itself is a readable buffer, and no request",
            "no writable byte",
            q -> {
              q.table(TABLE, 0, TABLE, 16, INDIRECT, 0);
              q.raw(0, TABLE, 16, 0, INDIRECT | ON);
            }),
        row(
            "K4 INDIRECT in a list",
            "INDIRECT descriptor in a list",
            q -> {
              table(q);
              q.raw(1, TABLE, 48, 0, INDIRECT | ON);
              q.raw(0, HEADER, 16, 0, NEXT | ON);
            }),
        row(
            "K4 INDIRECT and NEXT",
            "both INDIRECT and NEXT",
            q -> {
              table(q);
              q.raw(1, STATUS, 1, 0, WRITE | ON);
              q.raw(0, TABLE, 48, 0, INDIRECT | NEXT | ON);
            }),
        row(
            "table unmapped",
            "not reachable: UNMAPPED",
            q -> q.raw(0, FakeBus.RAM_BYTES, 48, 0, INDIRECT | ON)),
        row(
            "H30 data in own registers",
            "not reachable: NOT_MEMORY",
            q -> request(q, FakeBus.REGISTERS_BASE, 512, WRITE)),
        row("only a header", "no writable byte", q -> q.raw(0, HEADER, 16, 0, ON)),
        row("only a status", "0 readable bytes", q -> q.raw(0, STATUS, 1, 0, WRITE | ON)));
  }

  private static void request(
      final PackedDriver q, final long data, final long length, final int flags) {
    q.raw(2, STATUS, 1, 0, WRITE | ON);
    q.raw(1, data, length, 0, flags | NEXT | ON);
    q.raw(0, HEADER, 16, 0, NEXT | ON);
  }

  private static void table(final PackedDriver q) {
    q.table(TABLE, 0, HEADER, 16, 0, 0);
    q.table(TABLE, 1, DATA, 512, WRITE, 0);
    q.table(TABLE, 2, STATUS, 1, WRITE, 0);
  }

  private static void indirect(final PackedDriver q, final long length) {
    table(q);
    q.raw(0, TABLE, length, 0, INDIRECT | ON);
  }

  private static void good(final PackedDriver q) {
    q.desc(0, HEADER, 16, NEXT, 1);
    q.desc(1, DATA, 512, WRITE | NEXT, 2);
    q.desc(2, STATUS, 1, WRITE, 0);
    q.offer(0);
  }

  @ParameterizedTest
  @MethodSource("rows")
  @DisplayName("S3 D: NEEDS_RESET, nothing moved, and a reset mends it")
  void needsResetAndNothingMoved(final Consumer<PackedDriver> row, final String reason) {
    check(row, reason, VirtioFeatures.INDIRECT_DESC);
    check(row, reason, VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX);
    check(row, reason, VirtioFeatures.INDIRECT_DESC | VirtioFeatures.IN_ORDER);
  }

  @Test
  @DisplayName("H13 D: INDIRECT that was not negotiated")
  void h13IndirectNotNegotiated() {
    check(q -> indirect(q, 48), "INDIRECT_DESC was not negotiated", 0);
  }

  private static void check(
      final Consumer<PackedDriver> row, final String reason, final long more) {
    final long features = more | VirtioFeatures.RING_PACKED;
    final Driver driver = Disks.drive(SwiotlbPolicy.NONE);
    final PackedDriver queue = driver.start(features, new PackedDriver(driver.bus, N, RING));
    driver.bus.msix = true;
    driver.header(HEADER, BlkDescriptor.T_IN, 0);
    final byte[] before = new byte[512];
    Arrays.fill(before, (byte) 0x5a);
    driver.bytes(DATA, before);
    driver.bytes(STATUS, new byte[] {0x5a});
    row.accept(queue);
    final byte[] ring = driver.bytes(RING, 16 * N);
    driver.run();

    assertThat(driver.status() & (VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK))
        .isEqualTo(VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK);
    assertThat(driver.isr() & 2).isEqualTo(2);
    assertThat(driver.bus.messages).contains(0);
    assertThat(driver.function.info().lastError()).startsWith("queue 0: ").contains(reason);
    assertThat(driver.bus.openSections).hasValue(0);
    assertThat(driver.bytes(RING, 16 * N)).as("no used descriptor").isEqualTo(ring);
    assertThat(driver.bytes(DATA, 512)).isEqualTo(before);
    assertThat(driver.byteAt(STATUS)).isEqualTo(0x5a);

    driver.status(0);
    final PackedDriver again =
        driver.start(features, new PackedDriver(driver.bus, N, RING + 0x80000));
    again.inOrder = (more & VirtioFeatures.IN_ORDER) != 0;
    good(again);
    driver.run();
    assertThat(again.usedIndex()).isEqualTo(1);
    assertThat(driver.byteAt(STATUS)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(driver.function.info().lastError()).isNull();
  }

  private static RingRig<PackedDriver> rig() throws QueueException {
    return RingRig.over(new PackedDriver(new FakeBus(0), N, RING), VirtioFeatures.RING_PACKED);
  }

  @Test
  @DisplayName("H29 D: an id that is available again while it is in flight")
  void h29IdInFlight() throws QueueException {
    final RingRig<PackedDriver> rig = rig();
    rig.ring.raw(0, DATA, 64, 0xabcd, WRITE | ON);
    rig.ring.raw(1, DATA, 64, 0xabcd, WRITE | ON);
    rig.pop();
    rig.push(rig.chain, 64);
    assertThat(rig.refusal()).isEqualTo("buffer id 43981 is available again while it is in flight");
    rig.queue.publish();
    assertThat(rig.pop()).as("the driver's again").isTrue();
  }

  @Test
  @DisplayName("H14 D: entries in flight that are made available again")
  void h14MoreInFlightThanTheRing() throws QueueException {
    final RingRig<PackedDriver> rig = rig();
    for (int i = 0; i < N; i++) {
      rig.ring.raw(i, DATA, 64, i, WRITE | ON);
    }
    for (int i = 0; i < N; i++) {
      assertThat(rig.queue.pop(rig.session, new DescriptorChain())).isTrue();
    }
    assertThat(rig.pop()).isFalse();
    rig.ring.raw(0, DATA, 64, N, WRITE | PackedDriver.available(false));
    assertThat(rig.refusal())
        .isEqualTo("a list has more descriptors than the 0 that are not in flight");
  }

  @Test
  @DisplayName("H14 D: a list that goes on into entries in flight")
  void h14ListIntoEntriesInFlight() throws QueueException {
    final RingRig<PackedDriver> rig = rig();
    rig.ring.raw(0, DATA, 64, 7, WRITE | ON);
    rig.popNew();
    for (int i = N - 1; i > 0; i--) {
      rig.ring.raw(i, DATA, 1, 8, NEXT | ON);
    }
    assertThat(rig.refusal())
        .isEqualTo("descriptor 0 is not available, but the one before it" + " goes on there");
    rig.ring.raw(0, DATA, 1, 8, PackedDriver.available(false));
    assertThat(rig.refusal())
        .isEqualTo("a list has more descriptors than the 15 that are not in flight");
  }

  @Test
  @DisplayName("H27 D: what was refused is looked at anew, and nothing of it is kept")
  void h27RefusedIsNotTaken() throws QueueException {
    final RingRig<PackedDriver> rig = rig();
    rig.ring.raw(0, DATA, 0, 3, WRITE | ON);
    for (int i = 0; i < 100_000; i++) {
      assertThat(rig.refusal()).isEqualTo("a descriptor has length 0");
    }
    rig.ring.raw(0, DATA, 64, 3, WRITE | ON);
    assertThat(rig.pop()).isTrue();
    assertThat(rig.chain.writableBytes()).isEqualTo(64);
  }
}
