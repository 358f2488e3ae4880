package io.carom.virtio.device.region;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static io.carom.virtio.device.region.RegionKit.DATA;
import static io.carom.virtio.device.region.RegionKit.HEADER;
import static io.carom.virtio.device.region.RegionKit.R;
import static io.carom.virtio.device.region.RegionKit.RING;
import static io.carom.virtio.device.region.RegionKit.SIZE;
import static io.carom.virtio.device.region.RegionKit.STATUS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** VIRTIO_F_DMB (August 2026; provisional), the device's rules. */
class DmbTest {
  private static final long DMB = 1L << DmbDescriptor.DEFAULT_BIT;
  private static final long WHOLE =
      DMB | VirtioFeatures.ACCESS_PLATFORM | VirtioFeatures.ORDER_PLATFORM;

  private static Driver driver(final String mode) {
    return RegionKit.drive("policy", "none", "dmb", mode);
  }

  private static List<byte[]> shared(final Driver driver) {
    return RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_SHARED_MEMORY);
  }

  @Test
  @DisplayName("DMB is off by default")
  void offByDefault() {
    for (final SwiotlbPolicy policy : SwiotlbPolicy.values()) {
      final Driver driver = RegionKit.drive("policy", policy.name());
      assertThat(driver.offered() & DMB).isZero();
      assertThat(shared(driver)).isEmpty();
      assertThat(driver.get(DmbDescriptor.DEFAULT_SHM_ID_REGISTER, 1)).isZero();
    }
  }

  @Test
  @DisplayName("DMB: one shared memory region, 64-bit capability, found by its id")
  void sharedMemoryRegion() {
    final Driver driver = RegionKit.drive("policy", "none", "dmb", "on", "dmbShmId", 9);
    assertThat(RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_SWIOTLB))
        .isEmpty();
    final ByteBuffer body =
        ByteBuffer.wrap(shared(driver).getFirst()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(shared(driver)).hasSize(1);
    assertThat(body.capacity()).isEqualTo(VirtioPciCapDescriptor.SIZE_64);
    assertThat(body.get(VirtioPciCapDescriptor.ID)).isEqualTo((byte) 9);
    assertThat(body.get(VirtioPciCapDescriptor.BAR)).isEqualTo((byte) 2);
    assertThat(body.getInt(VirtioPciCapDescriptor.OFFSET)).isZero();
    assertThat(body.getInt(VirtioPciCapDescriptor.LENGTH)).isEqualTo(SIZE);
    assertThat(body.getInt(VirtioPciCapDescriptor.LENGTH_HIGH)).isZero();
    assertThat(driver.get(DmbDescriptor.DEFAULT_SHM_ID_REGISTER, 1)).isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x40, 0x41, 0x47, 0xff})
  @DisplayName("DMB: the register can be moved, is read-only, and the structure holds it")
  void register(final int register) {
    final Driver driver =
        RegionKit.drive("policy", "none", "dmb", "on", "dmbShmId", 0xa5, "dmbRegister", register);
    assertThat(driver.get(register, 1)).isEqualTo(0xa5);
    assertThat(driver.get(register & ~3, 4) >>> (8 * (register & 3)) & 0xff).isEqualTo(0xa5);
    driver.set(register, 1, 0);
    assertThat(driver.get(register, 1)).isEqualTo(0xa5);
    final byte[] common =
        RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_COMMON).getFirst();
    final int length =
        ByteBuffer.wrap(common)
            .order(ByteOrder.LITTLE_ENDIAN)
            .getInt(VirtioPciCapDescriptor.LENGTH);
    assertThat(length).isGreaterThan(register).isLessThanOrEqualTo(register + 4);
    assertThat(driver.get(CommonCfgDescriptor.NUM_QUEUES, 2)).isEqualTo(1);
  }

  @Test
  @DisplayName("DMB: offered together with ACCESS_PLATFORM and VERSION_1")
  void offeredTogether() {
    assertThat(driver("on").offered() & (WHOLE | VirtioFeatures.VERSION_1))
        .isEqualTo(WHOLE | VirtioFeatures.VERSION_1);
  }

  @ParameterizedTest
  @CsvSource({"33, ACCESS_PLATFORM", "36, ORDER_PLATFORM"})
  @DisplayName("DMB: FEATURES_OK is refused without what it depends on")
  void dependencies(final int bit, final String name) {
    final Driver driver = driver("on");
    assertThat(driver.negotiate(WHOLE & ~(1L << bit))).isFalse();
    assertThat(driver.function.info().lastError()).contains("DMB (bit 44) without " + name);
    assertThat(driver.negotiate(WHOLE)).isTrue();
  }

  @Test
  @DisplayName("DMB: strict refuses FEATURES_OK without it, on does not")
  void strict() {
    assertThat(driver("strict").negotiate(VirtioFeatures.ACCESS_PLATFORM)).isFalse();
    final Driver driver = driver("on");
    final DriverQueue queue = driver.start(0, RegionKit.ring(driver, 0x10000));
    driver.header(0x20000, 0, 0);
    assertThat(RegionKit.read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(RegionKit.region(driver).feature()).isEqualTo("none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"on", "strict"})
  @DisplayName("DMB: offsets on the wire, nothing outside of the region is touched")
  void offsets(final String mode) {
    final Driver driver = driver(mode);
    final DriverQueue queue = RegionKit.start(driver, WHOLE, true);
    RegionKit.roundTrip(driver, queue, 0);
    assertThat(driver.function.info().systemMemoryAccesses()).isZero();
    assertThat(RegionKit.region(driver).feature()).isEqualTo("DMB");
    assertThat(RegionKit.region(driver).addressing()).isEqualTo("offset");
    assertThat(RegionKit.region(driver).bit()).isEqualTo(44);
  }

  @ParameterizedTest(name = "data at {0}, length {1}")
  @CsvSource({
    "0, 512",
    "0xffe01, 512",
    "0x100000, 1",
    "-1, 512",
    "-256, 512",
    "0x30000, 0xffffffff",
    "0x7fffffffffffffff, 512",
    "0x8000030000, 512",
    "0x20000000, 512"
  })
  @DisplayName("DMB: offset 0, bounds without overflow, bus addresses: NEEDS_RESET, no access")
  void bounds(final String place, final long length) {
    final Driver driver = driver("strict");
    final DriverQueue queue = RegionKit.start(driver, WHOLE, true);
    queue.desc(0, HEADER, 16, NEXT, 1);
    queue.desc(1, Long.decode(place), length, WRITE | NEXT, 2);
    queue.desc(2, STATUS, 1, WRITE, 0);
    queue.offer(0);
    driver.run();
    RegionKit.broken(driver, "queue 0");
    assertThat(queue.usedIndex()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "2, 0", "0, 0x100000", "2, 0xfff00", "1, 0x8000001000"})
  @DisplayName("DMB: offset 0 and bounds hold for the virtqueue areas")
  void areas(final int area, final String place) {
    final Driver driver = driver("strict");
    final long[] areas = {RING, RING + 0x4000, RING + 0x8000};
    areas[area] = Long.decode(place);
    assertThat(driver.negotiate(WHOLE)).isTrue();
    driver.enable(0, new DriverQueue(driver.bus, 64, areas[0], areas[1], areas[2]));
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.bus.ramAccesses).hasValue(0);
  }

  @Test
  @DisplayName("DMB: contents are void after a reset")
  void contentsAreVoid() {
    final Driver driver = driver("strict");
    RegionKit.roundTrip(driver, RegionKit.start(driver, WHOLE, true), 0);
    driver.status(0);
    assertThat(driver.bytes(R, SIZE)).containsOnly(0);
  }

  @Test
  @DisplayName("DMB lifetime: the same id, place and length after every negotiation")
  void lifetime() {
    final Driver driver = driver("strict");
    final byte[] before = shared(driver).getFirst();
    RegionKit.roundTrip(driver, RegionKit.start(driver, WHOLE, true), 0);
    RegionKit.roundTrip(driver, RegionKit.start(driver, WHOLE, true), 0);
    assertThat(shared(driver).getFirst()).isEqualTo(before);
    driver.bus.regionBase = -1; // offsets stay valid wherever it is
    driver.bus.rerouted();
    driver.function.commandChanged(4);
    assertThat(driver.needsReset()).isFalse();
  }

  @Test
  @DisplayName("DMB: the number of the bit can be chosen, and must have no other meaning")
  void bit() {
    final Driver driver = RegionKit.drive("policy", "none", "dmb", "on", "dmbBit", 47);
    assertThat(driver.offered() & (1L << 47 | DMB)).isEqualTo(1L << 47);
    RegionKit.roundTrip(driver, RegionKit.start(driver, (WHOLE & ~DMB) | 1L << 47, true), 0);
    for (final int taken : new int[] {27, 28, 33, 36, 43}) {
      if (taken != 27) {
        assertThatThrownBy(() -> RegionKit.drive("policy", "none", "dmb", "on", "dmbBit", taken))
            .hasMessageContaining("dmbBit=" + taken + " collides with");
      }
    }
  }

  @Test
  @DisplayName("DMB: not in the region are notifications and configuration")
  void registersStayWhereTheyAre() {
    final Driver driver = driver("strict");
    final byte[] notify =
        RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_NOTIFY).getFirst();
    assertThat(notify[VirtioPciCapDescriptor.BAR]).isEqualTo((byte) Driver.BAR);
    assertThat(driver.bar(2).swiotlb()).isTrue();
    assertThat(R + DATA).isNotZero();
  }
}
