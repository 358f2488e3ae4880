package io.carom.virtio.device.region;

import static io.carom.virtio.device.region.RegionKit.DATA;
import static io.carom.virtio.device.region.RegionKit.HEADER;
import static io.carom.virtio.device.region.RegionKit.R;
import static io.carom.virtio.device.region.RegionKit.STATUS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.memory.LazyMemory;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The proposal's statements W1 to W11 and its combination matrix, as far as they are the device's;
 * the driver's half is in the guest's tests.
 */
class CombinationTest {
  private static final long ACCESS_PLATFORM = VirtioFeatures.ACCESS_PLATFORM;

  private static boolean capability(final Driver driver) {
    return !RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_SWIOTLB).isEmpty();
  }

  private static boolean offered(final Driver driver, final int bit) {
    return (driver.offered() >>> bit & 1) != 0;
  }

  @Test
  @DisplayName("matrix 1: no capability, no bit: an ordinary device")
  void matrix1() {
    final Driver driver = RegionKit.drive("policy", "none");
    assertThat(capability(driver)).isFalse();
    assertThat(offered(driver, 27)).isFalse();
    assertThat(driver.function.info().region()).isNull();
    final DriverQueue queue = driver.start(0, RegionKit.ring(driver, 0x10000));
    driver.header(0x20000, 0, 0);
    assertThat(RegionKit.read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"COMPAT", "STRICT"})
  @DisplayName("W4, matrix 2: the bit is never offered without a buffer")
  void matrix2(final SwiotlbPolicy policy) {
    assertThatThrownBy(
            () ->
                new VirtioFunctionBuilder("disk0", Disks.memory(false, 1))
                    .region(
                        BounceRegion.inBar(
                            RegionOptions.of(policy, 1 << 20), MemorySegment.NULL, null))
                    .build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("bit 27", "must not be offered without the SWIOTLB capability");
    assertThatThrownBy(
            () ->
                new VirtioFunctionBuilder("disk0", Disks.memory(false, 1))
                    .offer(VirtioFeatures.SWIOTLB)
                    .build())
        .hasMessageContaining("must not be offered without the SWIOTLB capability");
  }

  @Test
  @DisplayName("W6 W10 T8, matrix 3: the capability alone is a hint, both kinds of addresses serve")
  void matrix3() {
    final Driver driver = RegionKit.drive("policy", "hint");
    assertThat(capability(driver)).isTrue();
    assertThat(offered(driver, 27)).isFalse();
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).as("not offered").isFalse();
    final DriverQueue queue = RegionKit.start(driver, 0, false);
    driver.header(0x20000, 0, 0);
    driver.header(R + HEADER, 0, 0);
    assertThat(RegionKit.read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(RegionKit.read(driver, queue, R + HEADER, R + DATA, R + STATUS)).isTrue();
    assertThat(RegionKit.read(driver, queue, R + HEADER, 0x30000, R + STATUS)).isTrue();
    assertThat(RegionKit.region(driver).feature()).isEqualTo("none");
  }

  @Test
  @DisplayName("W5 T2, matrix 4: compat works on system memory when the bit is not accepted")
  void matrix4Compat() {
    final Driver driver = RegionKit.drive("policy", "compat");
    driver.bus.unprotectedPages = 7;
    assertThat(capability(driver)).isTrue();
    assertThat(offered(driver, 27)).isTrue();
    final DriverQueue queue = driver.start(0, RegionKit.ring(driver, 0x10000));
    driver.header(0x20000, 0, 0);
    assertThat(RegionKit.read(driver, queue, 0x20000, 0x30000, 0x20100)).isTrue();
    assertThat(driver.function.info().systemMemoryAccesses()).isPositive();
    assertThat(RegionKit.region(driver).unprotectedPages())
        .as("pages of a confidential guest that it shares for this device")
        .isEqualTo(7);
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).isTrue();
    assertThat(RegionKit.region(driver).unprotectedPages()).isZero();
  }

  @Test
  @DisplayName("W5 T3, matrix 4: strict refuses FEATURES_OK without the bit")
  void matrix4Strict() {
    final Driver driver = RegionKit.drive("policy", "strict");
    assertThat(driver.negotiate(0)).isFalse();
    assertThat(driver.function.info().lastError()).contains("SWIOTLB (bit 27)", "policy=strict");
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"compat", "strict"})
  @DisplayName("W1 W3 W11 T4, matrix 5: all in the region, no access to system memory")
  void matrix5(final String policy) {
    final Driver driver = RegionKit.drive("policy", policy);
    final DriverQueue queue = RegionKit.start(driver, VirtioFeatures.SWIOTLB, false);
    RegionKit.roundTrip(driver, queue, R);
    assertThat(driver.function.info().systemMemoryAccesses()).isZero();
    assertThat(driver.function.info().faultedAccesses()).isZero();
    assertThat(driver.function.info().ownRegionAccesses()).isPositive();
    assertThat(RegionKit.region(driver).feature()).isEqualTo("SWIOTLB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"compat", "strict"})
  @DisplayName("W2 W9: a device that shows the capability offers the bit where its policy says so")
  void w9(final String policy) {
    final Driver driver = RegionKit.drive("policy", policy);
    assertThat(capability(driver)).isTrue();
    assertThat(offered(driver, 27)).isTrue();
    assertThat(driver.negotiate(VirtioFeatures.SWIOTLB)).as("W2: and takes it").isTrue();
  }

  @Test
  @DisplayName("T1: the capability is of a type that unaware drivers must ignore")
  void t1() {
    final Driver driver = RegionKit.drive("policy", "hint");
    final List<byte[]> found =
        RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_SWIOTLB);
    assertThat(found).hasSize(1);
    assertThat(found.getFirst()).hasSize(VirtioPciCapDescriptor.SIZE);
    assertThat(found.getFirst()[VirtioPciCapDescriptor.BAR]).isEqualTo((byte) 2);
    assertThat(RegionKit.capabilities(driver.function, VirtioPciCapDescriptor.TYPE_COMMON))
        .hasSize(1);
  }

  @ParameterizedTest(name = "accepted with {0}")
  @ValueSource(longs = {0, 1L << 33, 1L << 36, 1L << 33 | 1L << 36})
  @DisplayName("W7 W8 T10: the region is on-device with and without the platform features")
  void w7w8(final long platform) {
    final Driver driver = RegionKit.drive("policy", "strict");
    driver.bus.pages = page -> -1; // an IOMMU that maps nothing to anything
    driver.bus.longestPiece = 1;
    final DriverQueue queue = RegionKit.start(driver, VirtioFeatures.SWIOTLB | platform, false);
    RegionKit.roundTrip(driver, queue, R);
    assertThat(driver.function.info().faultedAccesses()).isZero();
  }

  @Test
  @DisplayName("W8: with ACCESS_PLATFORM the IOMMU stands before the device, not before its region")
  void w8() {
    final Driver driver = RegionKit.drive("policy", "hint");
    driver.bus.pages = page -> -1;
    driver.bus.longestPiece = 1;
    final DriverQueue queue = RegionKit.start(driver, ACCESS_PLATFORM, false);
    RegionKit.roundTrip(driver, queue, R);
    assertThat(RegionKit.read(driver, queue, R + HEADER, 0x30000, R + STATUS)).isFalse();
    assertThat(driver.needsReset()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {27, 24 + 18, 45, 63})
  @DisplayName("2.2.11: the number of the bit can be chosen")
  void bitNumber(final int bit) {
    final Driver driver = RegionKit.drive("policy", "strict", "swiotlbBit", bit);
    assertThat(offered(driver, bit)).isTrue();
    assertThat(offered(driver, 27)).isEqualTo(bit == 27);
    assertThat(driver.negotiate(0)).isFalse();
    assertThat(driver.function.info().lastError()).contains("bit " + bit);
    final DriverQueue queue = RegionKit.start(driver, 1L << bit, false);
    RegionKit.roundTrip(driver, queue, R);
    assertThat(RegionKit.region(driver).bit()).isEqualTo(bit);
    assertThat(RegionKit.read(driver, queue, R + HEADER, 0x30000, R + STATUS)).isFalse();
    RegionKit.broken(driver, "not in the SWIOTLB region");
  }

  @ParameterizedTest
  @CsvSource({
    "32, VERSION_1",
    "33, ACCESS_PLATFORM",
    "28, INDIRECT_DESC",
    "9, FLUSH",
    "30, UNUSED"
  })
  @DisplayName("2.2.11: a number that has a meaning is refused")
  void bitCollides(final int bit, final String name) {
    assertThatThrownBy(() -> RegionKit.drive("policy", "strict", "swiotlbBit", bit))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("swiotlbBit=" + bit, "collides with " + name);
  }

  @Test
  @DisplayName("W1: the region is as large as it says, and its BAR is its size")
  void w1() {
    final MemorySegment memory = LazyMemory.allocate(3 << 18);
    final var function =
        new VirtioFunctionBuilder("disk0", Disks.memory(false, 1))
            .policy(SwiotlbPolicy.HINT)
            .region(memory)
            .build();
    final var bar =
        function.spec().bars().stream().filter(b -> b.swiotlb()).findFirst().orElseThrow();
    assertThat(bar.size()).isEqualTo(1 << 20);
    assertThat(bar.prefetchable()).isTrue();
    assertThat(function.info().regionBytes()).isEqualTo(3 << 18);
  }
}
