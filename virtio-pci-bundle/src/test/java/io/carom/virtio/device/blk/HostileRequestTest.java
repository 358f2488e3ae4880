package io.carom.virtio.device.blk;

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
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Hostile rings and requests: each leaves the device in need of a reset, with nothing moved. */
class HostileRequestTest {
  private static final long RING = 0x10000;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x20100;
  private static final long TABLE = 0x21000;
  private static final long DATA = 0x30000;
  private static final int N = Disks.QUEUE_SIZE;

  private static Named<BiConsumer<Driver, DriverQueue>> row(
      final String name, final BiConsumer<Driver, DriverQueue> action) {
    return Named.of(name, action);
  }

  static Stream<Named<BiConsumer<Driver, DriverQueue>>> rows() {
    return Stream.of(
        row("H2 head N", (d, q) -> q.offer(N)),
        row("H2 head 0xffff", (d, q) -> q.offer(0xffff)),
        row("H1 index N+1", (d, q) -> q.index(N + 1)),
        row("H1 index -1", (d, q) -> q.index(-1)),
        row("H3 next N", (d, q) -> chain(q, 0, HEADER, 16, NEXT, N)),
        row("H3 next 0xffff", (d, q) -> chain(q, 0, HEADER, 16, NEXT, 0xffff)),
        row("H4 self loop", (d, q) -> chain(q, 0, HEADER, 16, NEXT, 0)),
        row(
            "H4 loop of three",
            (d, q) -> {
              q.desc(1, HEADER, 8, NEXT, 2);
              q.desc(2, HEADER, 8, NEXT, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }),
        row("H5 zero-length data", (d, q) -> request(q, DATA, 0, WRITE)),
        row(
            "H5 zero-length status",
            (d, q) -> {
              q.desc(1, STATUS, 0, WRITE, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }),
        row("H6 data unmapped", (d, q) -> request(q, FakeBus.RAM_BYTES, 512, WRITE)),
        row("H6 data straddle the end", (d, q) -> request(q, FakeBus.RAM_BYTES - 1, 512, WRITE)),
        row("H6 data wrap around", (d, q) -> request(q, -256, 512, WRITE)),
        row("H6 length 0xfffffe00", (d, q) -> request(q, DATA, 0xfffffe00L, WRITE)),
        row(
            "H7 total beyond 2^32",
            (d, q) -> {
              q.desc(1, DATA, 0xffffffffL, WRITE | NEXT, 2);
              q.desc(2, DATA, 0xffffffffL, WRITE | NEXT, 3);
              q.desc(3, STATUS, 1, WRITE, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }),
        row(
            "H9 readable after writable",
            (d, q) -> {
              q.desc(1, DATA, 512, WRITE | NEXT, 2);
              q.desc(2, DATA, 512, NEXT, 3);
              q.desc(3, STATUS, 1, WRITE, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }),
        row(
            "status readable",
            (d, q) -> {
              q.desc(1, STATUS, 1, 0, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }),
        row("only a header", (d, q) -> chain(q, 0, HEADER, 16, 0, 0)),
        row("only a status", (d, q) -> chain(q, 0, STATUS, 1, WRITE, 0)),
        row(
            "header of 15 bytes",
            (d, q) -> {
              q.desc(1, STATUS, 1, WRITE, 0);
              chain(q, 0, HEADER, 15, NEXT, 1);
            }),
        row("H10 indirect length 0", (d, q) -> chain(q, 0, TABLE, 0, INDIRECT, 0)),
        row("H10 indirect length 8", (d, q) -> indirect(q, 8)),
        row("H10 indirect length 47", (d, q) -> indirect(q, 47)),
        row("H11 indirect longer than the queue", (d, q) -> indirect(q, 16L * (N + 1))),
        row(
            "H12 nested",
            (d, q) -> {
              q.table(TABLE, 0, TABLE, 48, INDIRECT, 0);
              chain(q, 0, TABLE, 48, INDIRECT, 0);
            }),
        row(
            "next beyond the table",
            (d, q) -> {
              q.table(TABLE, 0, HEADER, 16, NEXT, 3);
              chain(q, 0, TABLE, 48, INDIRECT, 0);
            }),
        row(
            "loop in the table",
            (d, q) -> {
              q.table(TABLE, 0, HEADER, 16, NEXT, 1);
              q.table(TABLE, 1, HEADER, 16, NEXT, 0);
              chain(q, 0, TABLE, 48, INDIRECT, 0);
            }),
        row("table unmapped", (d, q) -> chain(q, 0, FakeBus.RAM_BYTES, 48, INDIRECT, 0)),
        row(
            "INDIRECT and NEXT",
            (d, q) -> {
              table(q);
              q.desc(1, STATUS, 1, WRITE, 0);
              chain(q, 0, TABLE, 48, INDIRECT | NEXT, 1);
            }),
        row(
            "H29 a head in flight again",
            (d, q) -> {
              good(q);
              // neither was returned yet when the second is looked at
              q.place(0);
              q.place(0);
              q.publish();
            }),
        row("H30 data in own registers", (d, q) -> request(q, FakeBus.REGISTERS_BASE, 512, WRITE)),
        row(
            "H30 readable data in own registers",
            (d, q) -> request(q, FakeBus.REGISTERS_BASE, 512, 0)),
        row(
            "H30 header in own registers",
            (d, q) -> {
              q.desc(1, STATUS, 1, WRITE, 0);
              chain(q, 0, FakeBus.REGISTERS_BASE, 16, NEXT, 1);
            }),
        row(
            "H30 status in own registers",
            (d, q) -> {
              q.desc(1, FakeBus.REGISTERS_BASE + 0x14, 1, WRITE, 0);
              chain(q, 0, HEADER, 16, NEXT, 1);
            }));
  }

  private static void chain(
      final DriverQueue q,
      final int head,
      final long address,
      final long length,
      final int flags,
      final int next) {
    q.desc(head, address, length, flags, next);
    q.offer(head);
  }

  private static void request(
      final DriverQueue q, final long data, final long length, final int flags) {
    q.desc(1, data, length, flags | NEXT, 2);
    q.desc(2, STATUS, 1, WRITE, 0);
    chain(q, 0, HEADER, 16, NEXT, 1);
  }

  private static void good(final DriverQueue q) {
    q.desc(1, DATA, 512, WRITE | NEXT, 2);
    q.desc(2, STATUS, 1, WRITE, 0);
    q.desc(0, HEADER, 16, NEXT, 1);
  }

  private static void table(final DriverQueue q) {
    q.table(TABLE, 0, HEADER, 16, NEXT, 1);
    q.table(TABLE, 1, DATA, 512, WRITE | NEXT, 2);
    q.table(TABLE, 2, STATUS, 1, WRITE, 0);
  }

  private static void indirect(final DriverQueue q, final long length) {
    table(q);
    chain(q, 0, TABLE, length, INDIRECT, 0);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void s3NeedsResetAndNothingMoved(final BiConsumer<Driver, DriverQueue> row) {
    check(row, VirtioFeatures.INDIRECT_DESC);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void s3NeedsResetAndNothingMovedWithEventIndex(final BiConsumer<Driver, DriverQueue> row) {
    check(row, VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX);
  }

  static Stream<Named<BiConsumer<Driver, DriverQueue>>> notNegotiated() {
    return Stream.of(row("H13 INDIRECT not negotiated", (d, q) -> indirect(q, 48)));
  }

  @ParameterizedTest
  @MethodSource("notNegotiated")
  void s3NeedsResetWithoutIndirect(final BiConsumer<Driver, DriverQueue> row) {
    check(row, 0);
  }

  private static void check(final BiConsumer<Driver, DriverQueue> row, final long features) {
    final Driver driver = Disks.drive(SwiotlbPolicy.NONE);
    final DriverQueue queue = driver.start(features, new DriverQueue(driver.bus, N, RING));
    driver.bus.msix = true;
    driver.header(HEADER, BlkDescriptor.T_IN, 0);
    final byte[] before = new byte[512];
    Arrays.fill(before, (byte) 0x5a);
    driver.bytes(DATA, before);
    driver.bytes(STATUS, new byte[] {0x5a});
    row.accept(driver, queue);
    driver.run();

    assertThat(driver.status() & (VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK))
        .isEqualTo(VirtioStatus.NEEDS_RESET | VirtioStatus.DRIVER_OK);
    assertThat(driver.isr() & 2).isEqualTo(2);
    assertThat(driver.bus.messages).contains(0);
    assertThat(driver.function.info().lastError()).startsWith("queue 0: ");
    assertThat(driver.bus.openSections).hasValue(0);
    if (queue.usedIndex() != 0) {
      // only the repeated head: its first use was legal, and is complete
      assertThat(driver.function.info().lastError()).contains("in flight");
      assertThat(queue.usedIndex()).isEqualTo(1);
      return;
    }
    assertThat(driver.bytes(DATA, 512)).isEqualTo(before);
    assertThat(driver.byteAt(STATUS)).isEqualTo(0x5a);

    // sticky: nothing is served, and writes to the status do not take the bit away
    driver.status(0x0f);
    good(queue);
    queue.offer(0);
    driver.run();
    assertThat(driver.needsReset()).isTrue();
    assertThat(queue.usedIndex()).isZero();

    // and a reset mends it
    driver.status(0);
    assertThat(driver.status()).isZero();
    final DriverQueue again =
        driver.start(features, new DriverQueue(driver.bus, N, RING + 0x80000));
    good(again);
    again.offer(0);
    driver.run();
    assertThat(again.usedIndex()).isEqualTo(1);
    assertThat(driver.byteAt(STATUS)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(driver.function.info().lastError()).isNull();
  }
}
