package io.carom.virtio.device.region;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static io.carom.virtio.device.region.RegionKit.DATA;
import static io.carom.virtio.device.region.RegionKit.HEADER;
import static io.carom.virtio.device.region.RegionKit.R;
import static io.carom.virtio.device.region.RegionKit.RING;
import static io.carom.virtio.device.region.RegionKit.SIZE;
import static io.carom.virtio.device.region.RegionKit.STATUS;
import static io.carom.virtio.device.region.RegionKit.TABLE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What addresses mean and where they may lie, in each mode; moved regions and scrubbed ones. */
class AddressTest {
  private static final long SWIOTLB = VirtioFeatures.SWIOTLB | VirtioFeatures.INDIRECT_DESC;

  private static Driver driver(final String addressing) {
    return RegionKit.drive("policy", "strict", "addressing", addressing);
  }

  private static long wire(final String addressing) {
    return addressing.equals("bus") ? R : 0;
  }

  @ParameterizedTest
  @ValueSource(strings = {"bus", "offset"})
  @DisplayName("T4, 2.2.1: all in the region, by bus address and by offset")
  void t4(final String addressing) {
    final Driver driver = driver(addressing);
    final boolean offsets = addressing.equals("offset");
    final DriverQueue queue = RegionKit.start(driver, SWIOTLB, offsets);
    RegionKit.roundTrip(driver, queue, wire(addressing));
    assertThat(driver.function.info().systemMemoryAccesses()).isZero();
    assertThat(RegionKit.region(driver).addressing()).isEqualTo(addressing);
  }

  /** Places are offsets from the region's start, so that negative ones lie before it. */
  @ParameterizedTest(name = "{0}: data at {1}, length {2}")
  @CsvSource({
    "bus, 0xffe01, 512",
    "bus, 0x100000, 512",
    "bus, -1, 512",
    "bus, -512, 512",
    "bus, -0x7fffff0000, 512",
    "bus, 0x30000, 0xffffffff",
    "bus, 0x40000000, 512",
    "bus, -0x8000000100, 512",
    "offset, 0xffe01, 512",
    "offset, 0x100000, 512",
    "offset, -1, 512",
    "offset, -512, 512",
    "offset, 0, 512",
    "offset, 0x30000, 0xffffffff",
    "offset, 0x8000030000, 512",
    "offset, 0x7fffffffffffffff, 512"
  })
  @DisplayName("T5 T6: outside, straddling, wrapping, own registers: NEEDS_RESET, no access")
  void t5t6(final String addressing, final String place, final long length) {
    final Driver driver = driver(addressing);
    final DriverQueue queue = RegionKit.start(driver, SWIOTLB, addressing.equals("offset"));
    final long wire = wire(addressing);
    final byte[] before = driver.bytes(R + DATA, 512);
    queue.desc(0, wire + HEADER, 16, NEXT, 1);
    queue.desc(1, wire + Long.decode(place), length, WRITE | NEXT, 2);
    queue.desc(2, wire + STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    RegionKit.broken(driver, "queue 0");
    assertThat(queue.usedIndex()).isZero();
    assertThat(driver.bytes(R + DATA, 512)).isEqualTo(before);
  }

  @ParameterizedTest(name = "{0} header {1} table {2} status {3}")
  @CsvSource({
    "bus, -16, 0x1f000, 0x20100",
    "bus, 0x20000, 0x1f000, 0x100000",
    "bus, 0x20000, -48, 0x20100",
    "bus, 0x20000, 0xfffe0, 0x20100",
    "offset, 0, 0x1f000, 0x20100",
    "offset, 0x20000, 0x1f000, 0x100000",
    "offset, 0x20000, 0, 0x20100",
    "offset, 0x20000, 0xfffe0, 0x20100"
  })
  @DisplayName("T6: header, indirect table and status outside")
  void t6Parts(
      final String addressing, final String header, final String table, final String status) {
    final Driver driver = driver(addressing);
    final DriverQueue queue = RegionKit.start(driver, SWIOTLB, addressing.equals("offset"));
    final long wire = wire(addressing);
    if (Long.decode(table) == TABLE) {
      queue.table(R + TABLE, 0, wire + Long.decode(header), 16, NEXT, 1);
      queue.table(R + TABLE, 1, wire + DATA, 512, WRITE | NEXT, 2);
      queue.table(R + TABLE, 2, wire + Long.decode(status), 1, WRITE, 0);
    }
    queue.desc(0, wire + Long.decode(table), 48, INDIRECT, 0);
    queue.offer(0);
    driver.run();
    RegionKit.broken(driver, "queue 0");
    assertThat(queue.usedIndex()).isZero();
  }

  @ParameterizedTest(name = "{0} area {1} at {2}")
  @CsvSource({
    "bus, 0, -0x7fffff0000",
    "bus, 1, -0x7fffff0000",
    "bus, 2, -0x7fffff0000",
    "bus, 2, 0xffe00",
    "bus, 0, 0x40000000",
    "offset, 0, 0",
    "offset, 1, 0",
    "offset, 2, 0",
    "offset, 0, 0x100000",
    "offset, 1, 0x8000001000",
    "offset, 2, 0xffe00",
    "offset, 2, -16"
  })
  @DisplayName("T6: ring areas outside are found when the queue is enabled")
  void t6Areas(final String addressing, final int area, final String place) {
    final Driver driver = driver(addressing);
    final long wire = wire(addressing);
    final long[] areas = {wire + RING, wire + RING + 0x4000, wire + RING + 0x8000};
    areas[area] = wire + Long.decode(place);
    assertThat(driver.negotiate(SWIOTLB)).isTrue();
    driver.enable(0, new DriverQueue(driver.bus, 64, areas[0], areas[1], areas[2]));
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.bus.ramAccesses).hasValue(0);
    driver.status(0);
    RegionKit.roundTrip(
        driver, RegionKit.start(driver, SWIOTLB, addressing.equals("offset")), wire);
  }

  @Test
  @DisplayName("T5: addresses of the device's own registers")
  void ownRegisters() {
    for (final String policy : new String[] {"strict", "hint"}) {
      final Driver driver = RegionKit.drive("policy", policy);
      final boolean strict = policy.equals("strict");
      final DriverQueue queue = RegionKit.start(driver, strict ? SWIOTLB : 0, false);
      assertThat(
              RegionKit.read(driver, queue, R + HEADER, FakeBus.REGISTERS_BASE + 0x14, R + STATUS))
          .isFalse();
      RegionKit.broken(driver, "queue 0");
    }
  }

  @ParameterizedTest
  @CsvSource({"strict, bus", "strict, offset", "hint, bus"})
  @DisplayName("T7, 2.2.3: bus mastering off: the region is reached, system memory is not")
  void t7(final String policy, final String addressing) {
    final Driver driver = RegionKit.drive("policy", policy, "addressing", addressing);
    driver.bus.busMaster = false;
    final long features = policy.equals("strict") ? SWIOTLB : 0;
    final long wire = wire(addressing);
    final DriverQueue queue = RegionKit.start(driver, features, addressing.equals("offset"));
    RegionKit.roundTrip(driver, queue, wire);
    assertThat(RegionKit.read(driver, queue, wire + HEADER, 0x7000_0000, wire + STATUS)).isFalse();
    RegionKit.broken(driver, "queue 0");
  }

  @Test
  @DisplayName("2.2.3: regionWithoutBusMaster=false is told to the bus")
  void gatedByBusMaster() {
    final RegionKit kit = new RegionKit();
    final var open = kit.function("policy", "hint").ownRange();
    final var gated = kit.function("policy", "hint", "regionWithoutBusMaster", false).ownRange();
    assertThat(open).isNotNull();
    assertThat(open.busMaster()).isFalse();
    assertThat(gated).isNotNull();
    assertThat(gated.busMaster()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"strict", "hint"})
  @DisplayName("T9, 2.2.2: a BAR that is moved under live queues needs a reset at once")
  void t9Moved(final String policy) {
    final Driver driver = RegionKit.drive("policy", policy);
    final DriverQueue queue = RegionKit.start(driver, policy.equals("strict") ? SWIOTLB : 0, false);
    RegionKit.roundTrip(driver, queue, R);
    driver.bus.regionBase = R + 0x1000; // the old range and the new one overlap
    driver.function.commandChanged(6);
    RegionKit.broken(driver, "0x8000001000");
    driver.status(0);
    driver.bus.regionBase = R;
    RegionKit.roundTrip(driver, RegionKit.start(driver, SWIOTLB & queueBits(policy), false), R);
  }

  private static long queueBits(final String policy) {
    return policy.equals("strict") ? -1 : 0;
  }

  @Test
  @DisplayName("T9: decoding disabled under live queues")
  void t9NotDecoded() {
    final Driver driver = driver("bus");
    RegionKit.start(driver, SWIOTLB, false);
    driver.bus.regionBase = -1;
    driver.function.commandChanged(4);
    RegionKit.broken(driver, "not decoded now");
  }

  @Test
  @DisplayName("T9: a queue that is served before the device is told finds the region moved")
  void t9BeforeItIsTold() {
    final Driver driver = driver("bus");
    final DriverQueue queue = RegionKit.start(driver, SWIOTLB, false);
    final byte[] before = driver.bytes(R + DATA, 512);
    queue.desc(0, R + HEADER, 16, NEXT, 1);
    queue.desc(1, R + DATA, 512, WRITE | NEXT, 2);
    queue.desc(2, R + STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.bus.regionBase = R - 0x1000; // R + DATA is other bytes of the region now
    driver.bus.rerouted();
    driver.run();
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.function.info().lastError())
        .contains("the SWIOTLB region was at 0x8000000000");
    assertThat(
            driver.bus.region.asSlice(DATA, 512).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
        .isEqualTo(before);
  }

  @Test
  @DisplayName("T9: a BAR that moves and comes back while no queue lives is nobody's business")
  void t9BeforeQueues() {
    final Driver driver = driver("bus");
    driver.bus.regionBase = -1;
    driver.function.commandChanged(0);
    driver.bus.regionBase = R;
    driver.function.commandChanged(6);
    RegionKit.roundTrip(driver, RegionKit.start(driver, SWIOTLB, false), R);
  }

  @Test
  @DisplayName("T9, 2.2.1: offsets mean the region wherever it is decoded, and whether it is")
  void t9Offsets() {
    final Driver driver = driver("offset");
    final DriverQueue queue = RegionKit.start(driver, SWIOTLB, true);
    RegionKit.roundTrip(driver, queue, 0);
    driver.bus.regionBase = -1;
    driver.bus.rerouted();
    driver.function.commandChanged(4);
    RegionKit.roundTrip(driver, queue, 0);
    assertThat(driver.needsReset()).isFalse();
  }

  @Test
  @DisplayName("T12, 2.2.12: a reset scrubs the region where that is wanted")
  void t12() {
    final Driver driver = RegionKit.drive("policy", "strict", "scrubOnReset", true);
    RegionKit.roundTrip(driver, RegionKit.start(driver, SWIOTLB, false), R);
    final long before = RegionKit.region(driver).scrubs();
    driver.bytes(R + SIZE - 1, new byte[] {1});
    driver.status(0);
    assertThat(driver.status()).isZero();
    assertThat(driver.bytes(R, SIZE)).containsOnly(0);
    assertThat(RegionKit.region(driver).scrubs()).isEqualTo(before + 1);
  }

  @Test
  @DisplayName("T12: without the option what drivers left stays")
  void t12Off() {
    final Driver driver = driver("bus");
    driver.bytes(R + DATA, new byte[] {1, 2, 3});
    driver.status(0);
    assertThat(driver.bytes(R + DATA, 3)).containsExactly(1, 2, 3);
    assertThat(RegionKit.region(driver).scrubs()).isZero();
  }

  @Test
  @DisplayName("T8, 2.2.5: all of a queue in the region, or nothing")
  void allOrNothing() {
    final Driver inside = RegionKit.drive("policy", "hint", "mixing", "all-or-nothing");
    RegionKit.roundTrip(inside, RegionKit.start(inside, 0, false), R);
    final DriverQueue ring = RegionKit.start(inside, 0, false);
    assertThat(RegionKit.read(inside, ring, R + HEADER, 0x30000, R + STATUS)).isFalse();
    RegionKit.broken(inside, "all of a queue must be, or nothing");

    final Driver outside = RegionKit.drive("policy", "hint", "mixing", "all-or-nothing");
    final DriverQueue queue = outside.start(0, RegionKit.ring(outside, 0x10000));
    outside.header(0x20000, 0, 0);
    assertThat(RegionKit.read(outside, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(RegionKit.read(outside, queue, 0x20000, R + DATA, 0x20100)).isFalse();
    assertThat(outside.needsReset()).isTrue();
  }
}
