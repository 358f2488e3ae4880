package io.carom.virtio.device.transport;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The SWIOTLB proposal: its combination matrix, and where addresses may lie. */
class SwiotlbTest {
  private static final long R = FakeBus.REGION_BASE;
  private static final long RING = R;
  private static final long TABLE = R + 0x1f000;
  private static final long HEADER = R + 0x20000;
  private static final long STATUS = R + 0x20100;
  private static final long DATA = R + 0x30000;
  private static final long END = R + Disks.REGION_BYTES;
  private static final long ALL = VirtioFeatures.SWIOTLB | VirtioFeatures.INDIRECT_DESC;

  private static boolean capability(final Driver driver) {
    return driver.function.spec().capabilities().stream()
        .anyMatch(
            c -> c.body()[VirtioPciCapDescriptor.CFG_TYPE] == VirtioPciCapDescriptor.TYPE_SWIOTLB);
  }

  private static boolean offered(final Driver driver) {
    return (driver.offered() & VirtioFeatures.SWIOTLB) != 0;
  }

  /** A read of one sector; whether it was served. */
  private static boolean read(
      final Driver driver,
      final DriverQueue queue,
      final long header,
      final long data,
      final long status) {
    driver.header(header, BlkDescriptor.T_IN, 0);
    queue.desc(0, header, 16, NEXT, 1);
    queue.desc(1, data, 512, WRITE | NEXT, 2);
    queue.desc(2, status, 1, WRITE, 0);
    final int before = queue.usedIndex();
    queue.offer(0);
    driver.run();
    return queue.usedIndex() != before;
  }

  private static DriverQueue ring(final Driver driver, final long base) {
    return new DriverQueue(driver.bus, 64, base);
  }

  @Test
  void row1NoCapabilityNoBitIsAnOrdinaryDevice() {
    final Driver driver = Disks.drive(SwiotlbPolicy.NONE);
    assertThat(capability(driver)).isFalse();
    assertThat(offered(driver)).isFalse();
    final DriverQueue queue = driver.start(0, ring(driver, 0x10000));
    assertThat(read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
  }

  // row 2, the bit without the capability, is FunctionLayoutTest.w4...

  @Test
  void row3HintTakesBothKindsOfAddresses() {
    final Driver driver = Disks.drive(SwiotlbPolicy.HINT);
    assertThat(capability(driver)).isTrue();
    assertThat(offered(driver)).isFalse();
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).as("not offered").isFalse();
    final DriverQueue queue = driver.start(0, ring(driver, RING));
    assertThat(read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(read(driver, queue, HEADER, DATA, STATUS)).isTrue();
    assertThat(read(driver, queue, HEADER, 0x30000, STATUS)).isTrue();
  }

  @Test
  void row4CompatWithoutTheBitWorksOnSystemMemory() {
    final Driver driver = Disks.drive(SwiotlbPolicy.COMPAT);
    assertThat(capability(driver)).isTrue();
    assertThat(offered(driver)).isTrue();
    final DriverQueue queue = driver.start(0, ring(driver, 0x10000));
    assertThat(read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(driver.function.info().systemMemoryAccesses()).isPositive();
  }

  @Test
  void row4T3StrictWithoutTheBitIsRefusedAndSaysWhy() {
    final Driver driver = Disks.drive(SwiotlbPolicy.STRICT);
    assertThat(offered(driver)).isTrue();
    assertThat(driver.negotiate(0)).isFalse();
    assertThat(driver.function.info().lastError()).contains("SWIOTLB (bit 27)", "policy=strict");
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(
      value = SwiotlbPolicy.class,
      names = {"COMPAT", "STRICT"})
  void row5T4AllInTheRegionTouchesNoSystemMemory(final SwiotlbPolicy policy) {
    final Driver driver = Disks.drive(policy);
    driver.bus.busMaster = false; // T7: the region is no bus transaction
    final DriverQueue queue = driver.start(ALL, ring(driver, RING));
    final byte[] content = new byte[1536];
    new Random(1).nextBytes(content);
    driver.bytes(DATA, content);
    driver.header(HEADER, BlkDescriptor.T_OUT, 7);
    queue.desc(0, HEADER, 16, NEXT, 1);
    queue.desc(1, DATA, 1536, NEXT, 2);
    queue.desc(2, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    driver.bytes(DATA, new byte[1536]);
    driver.header(HEADER, BlkDescriptor.T_IN, 7);
    queue.table(TABLE, 0, HEADER, 16, NEXT, 1);
    queue.table(TABLE, 1, DATA, 1536, WRITE | NEXT, 2);
    queue.table(TABLE, 2, END - 1, 1, WRITE, 0); // the very last byte
    queue.desc(0, TABLE, 48, INDIRECT, 0);
    queue.offer(0);
    driver.run();
    assertThat(driver.needsReset()).isFalse();
    assertThat(queue.usedIndex()).isEqualTo(2);
    assertThat(driver.bytes(DATA, 1536)).isEqualTo(content);
    assertThat(driver.function.info().systemMemoryAccesses()).isZero();
    assertThat(driver.function.info().faultedAccesses()).isZero();
    assertThat(driver.function.info().ownRegionAccesses()).isPositive();
  }

  /** Offsets are from the region's base; negative ones and small ones are outside of it. */
  @ParameterizedTest(name = "T5 T6 {0}")
  @CsvSource({
    "data in RAM, 0x20000, -0x7fffff0000, 0x20100",
    "header in RAM, -0x7fffff0000, 0x30000, 0x20100",
    "status in RAM, 0x20000, 0x30000, -0x7fffff0000",
    "status behind the end, 0x20000, 0x30000, 0x100000",
    "last byte outside, 0x20000, 0xffe01, 0x20100",
    "first byte outside, 0x20000, -1, 0x20100",
    "wrap around, 0x20000, -0x8000000100, 0x20100"
  })
  void t5T6AnAddressOutsideNeedsReset(
      final String name, final String header, final String data, final String status) {
    final Driver driver = Disks.drive(SwiotlbPolicy.STRICT);
    final DriverQueue queue = driver.start(ALL, ring(driver, RING));
    queue.desc(0, R + Long.decode(header), 16, NEXT, 1);
    queue.desc(1, R + Long.decode(data), 512, WRITE | NEXT, 2);
    queue.desc(2, R + Long.decode(status), 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    outside(driver, queue, name);
  }

  private static void outside(final Driver driver, final DriverQueue queue, final String name) {
    assertThat(driver.needsReset()).as(name).isTrue();
    assertThat(driver.isr() & 2).isEqualTo(2);
    assertThat(queue.usedIndex()).isZero();
    assertThat(driver.function.info().lastError()).contains("not in the SWIOTLB region");
    assertThat(driver.function.info().systemMemoryAccesses()).isZero();
  }

  @Test
  void t6IndirectTableOutsideNeedsReset() {
    final Driver driver = Disks.drive(SwiotlbPolicy.COMPAT);
    final DriverQueue queue = driver.start(ALL, ring(driver, RING));
    driver.header(HEADER, BlkDescriptor.T_IN, 0);
    final DriverQueue ram = ring(driver, 0x10000);
    ram.table(0x20000, 0, HEADER, 16, NEXT, 1);
    ram.table(0x20000, 1, DATA, 512, WRITE | NEXT, 2);
    ram.table(0x20000, 2, STATUS, 1, WRITE, 0);
    queue.desc(0, 0x20000, 48, INDIRECT, 0);
    queue.offer(0);
    driver.run();
    outside(driver, queue, "table");
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "2"})
  void t6RingAreaOutsideNeedsReset(final int area) {
    final long[] areas = {RING, RING + 0x4000, RING + 0x8000};
    areas[area] = 0x10000;
    final Driver driver = Disks.drive(SwiotlbPolicy.STRICT);
    assertThat(driver.negotiate(ALL)).isTrue();
    driver.enable(0, new DriverQueue(driver.bus, 64, areas[0], areas[1], areas[2]));
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.function.info().lastError()).contains("not in the SWIOTLB region");
  }

  @Test
  void t6RingAreaThatEndsOutsideNeedsReset() {
    final Driver driver = Disks.drive(SwiotlbPolicy.STRICT);
    assertThat(driver.negotiate(ALL)).isTrue();
    driver.enable(0, new DriverQueue(driver.bus, 64, RING, RING + 0x4000, END - 512));
    assertThat(driver.needsReset()).isTrue();
  }

  @Test
  void t7BusMasterOffFaultsSystemMemory() {
    final Driver driver = Disks.drive(SwiotlbPolicy.HINT);
    final DriverQueue queue = driver.start(0, ring(driver, RING));
    driver.bus.busMaster = false;
    assertThat(read(driver, queue, HEADER, DATA, STATUS)).isTrue();
    assertThat(read(driver, queue, HEADER, 0x30000, STATUS)).isFalse();
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.function.info().lastError()).contains("BUS_MASTER_OFF");
  }

  @Test
  void routeThatChangedIsResolvedAgain() {
    final Driver driver = Disks.drive(SwiotlbPolicy.HINT);
    final DriverQueue queue = driver.start(0, ring(driver, 0x10000));
    assertThat(read(driver, queue, HEADER, DATA, STATUS)).isTrue();
    driver.bus.version = 2;
    driver.bus.busMaster = false;
    assertThat(read(driver, queue, HEADER, DATA, STATUS)).isFalse();
    assertThat(driver.function.info().lastError()).contains("area is not reachable");
  }

  @Test
  void revokedPortIsNotTouched() {
    final Driver driver = Disks.drive(SwiotlbPolicy.HINT);
    final DriverQueue queue = driver.start(0, ring(driver, RING));
    driver.bus.revoked = true;
    assertThat(read(driver, queue, HEADER, DATA, STATUS)).isFalse();
    assertThat(driver.needsReset()).isFalse();
  }
}
