package io.carom.swiotlb.magazine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.kit.SpiDriver;
import io.carom.swiotlb.kit.SpiDriver.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the magazine pool promises. */
class MagazinePoolTest {
  private static final long BASE = 0x1000_0000;
  private static final long MIB = 1L << 20;

  private final MagazinePool pool =
      new MagazinePool(ram(), new MagazineSettings((64 * MIB) >> 11, 2, 0, 2048, 1000));
  private final SpiDriver driver = new SpiDriver(pool, ExtentKind.RAM, BASE, 256 * MIB).fill();

  private static PoolSpec ram() {
    return new PoolSpec(null, ExtentKind.RAM, 1L << 30, 2);
  }

  private static MagazinePool small(final int sets) {
    return new MagazinePool(
        ram(), new MagazineSettings((long) sets * Extent.SET_SLOTS, 1, 0, 0, 1000));
  }

  private Run map(final long size) {
    return Objects.requireNonNull(driver.map(0, 0x5000, size));
  }

  @Test
  void runThatWasFreedLastIsUsedNext() {
    final Run first = map(4096);
    final Run second = map(4096);
    driver.unmap(first);
    driver.unmap(second);
    for (int i = 0; i < 10; i++) {
      final Run again = map(4096);
      assertThat(again.address()).isEqualTo(second.address());
      driver.unmap(again);
    }
    assertThat(map(4096).address()).isEqualTo(second.address());
    assertThat(map(4096).address()).isEqualTo(first.address());
    driver.checkCounts();
  }

  @Test
  void otherSizesDoNotDisturbEachOther() {
    final List<Long> before = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      final List<Long> now = new ArrayList<>();
      for (final long size : new long[] {512, 4096, 65_536, 262_144}) {
        final Run run = map(size);
        now.add(run.address());
        driver.unmap(run);
      }
      if (round > 0) {
        assertThat(now).isEqualTo(before);
      }
      before.clear();
      before.addAll(now);
    }
  }

  @Test
  void batchComesBackInReverseOrder() {
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      runs.add(map(8192));
    }
    runs.forEach(driver::unmap);
    for (int i = 19; i >= 0; i--) {
      assertThat(map(8192).address()).isEqualTo(runs.get(i).address());
    }
  }

  @Test
  void runOfOneSlotCanBeOdd() {
    final Run even = map(512);
    final Run odd = map(512);
    assertThat(odd.address() - even.address()).isEqualTo(2048);
    driver.unmap(odd);
    assertThat(map(2048).address()).isEqualTo(odd.address());
    driver.unmap(driver.live().getLast());
    driver.request.minAlignMask = 0xfff;
    assertThat(map(100).busAddress() & 0xfff).as("not the odd one").isZero();
  }

  @Test
  void mappingOfAWholeExtentIsPossible() {
    assertThat(pool.plan().extentBytes()).isEqualTo(4 * MIB);
    assertThat(pool.maxMappingSize(0)).isEqualTo(4 * MIB);
    driver.unmap(map(4 * MIB));
    assertThat(driver.map(0, 0, 4 * MIB + 1)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(driver.map(0, 0, Long.MAX_VALUE)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
    driver.checkCounts();
  }

  @ParameterizedTest
  @CsvSource({"0", "0x1ff", "0xfff", "0xffff"})
  void largestMappingFitsAtTheWorstOffset(final String mask) {
    final long bits = Long.decode(mask);
    driver.request.minAlignMask = bits;
    for (int i = 0; i < 2; i++) {
      final Run run =
          Objects.requireNonNull(driver.map(0, 0x10_0000 + bits, pool.maxMappingSize(bits)));
      driver.unmap(run);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0x123, 0x7ff, 0x800, 0x9a7, 0xfff})
  void bothMasksTogetherAreKept(final long offset) {
    map(2048);
    driver.request.minAlignMask = 0xfff;
    for (final long granule : new long[] {0, 0xfff, 0xffff}) {
      driver.request.allocAlignMask = granule;
      for (int i = 0; i < 3; i++) {
        final Run run = Objects.requireNonNull(driver.map(0, 0x40000 + offset, 3000));
        driver.unmap(run); // the driver of the test looked at the alignment
      }
    }
    driver.checkCounts();
  }

  @Test
  void runInAMagazineIsNotGivenAcrossABoundary() {
    driver.unmap(map(16 << 10)); // a hole for what follows
    final Run shift = map(40 << 10);
    final Run across = map(40 << 10); // crosses 64 KiB
    assertThat(across.address() >> 16).isNotEqualTo((across.address() + (40 << 10) - 1) >> 16);
    driver.unmap(across);
    driver.request.boundaryMask = 0xffff;
    final Run within = map(40 << 10);
    assertThat(within.address()).isNotEqualTo(across.address());
    driver.unmap(within);
    driver.unmap(shift);
    assertThat(driver.map(0, 0, 65_537)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void magazinesAreMergedBeforeARequestFails() {
    final MagazinePool one = small(1);
    final SpiDriver own = new SpiDriver(one, ExtentKind.RAM, BASE, MIB / 4).fill();
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      runs.add(Objects.requireNonNull(own.map(0, 0, 4096)));
    }
    assertThat(own.map(0, 0, 1)).isNull();
    assertThat(own.refusal()).isEqualTo(Refusal.FULL);
    runs.forEach(own::unmap);
    own.checkCounts();
    assertThat(own.map(0, 0, 262_144)).as("all of it").isNotNull();
    assertThat(one.largestFreeRun()).isZero();
  }

  @Test
  void fullAndFragmentedAreToldApart() {
    final MagazinePool one = small(1);
    final SpiDriver own = new SpiDriver(one, ExtentKind.RAM, BASE, MIB / 4).fill();
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 128; i++) {
      runs.add(Objects.requireNonNull(own.map(0, 0, 2048)));
    }
    assertThat(own.map(0, 0, 4096)).isNull();
    assertThat(own.refusal()).isEqualTo(Refusal.FULL);
    for (int i = 0; i < 128; i += 2) {
      own.unmap(runs.get(i));
    }
    for (int i = 0; i < 3; i++) {
      assertThat(own.map(0, 0, 4096)).isNull();
      assertThat(own.refusal()).isEqualTo(Refusal.FRAGMENTED);
    }
    assertThat(one.largestFreeRun()).isEqualTo(2048);
    own.unmap(runs.get(1));
    assertThat(own.map(0, 0, 4096)).isNotNull();
  }

  @Test
  void idleMemoryGoesBackAndIsNotAskedForUntilItIsNeeded() {
    assertThat(driver.grantedBytes()).isEqualTo(64 * MIB);
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      runs.add(Objects.requireNonNull(driver.map(i & 1, 0, 16_384)));
    }
    runs.forEach(driver::unmap);
    for (long now = 0; now <= 900; now += 10) {
      driver.tick(now);
    }
    assertThat(driver.grantedBytes()).as("not idle for long enough").isEqualTo(64 * MIB);
    for (long now = 910; now <= 3000; now += 10) {
      driver.tick(now);
    }
    assertThat(driver.grantedBytes()).as("one extent of each stripe").isEqualTo(8 * MIB);
    assertThat(pool.plan().wantedBytes()).isEqualTo(8 * MIB);
    driver.checkCounts();
    for (int i = 0; i < 2000; i++) {
      assertThat(driver.map(i & 1, 0, 16_384)).isNotNull();
    }
    assertThat(driver.needs()).as("extents at once").isEqualTo(6);
    assertThat(driver.grantedBytes()).isEqualTo(32 * MIB);
  }

  @Test
  void stripeInUseKeepsWhatItUses() {
    for (long now = 0; now <= 3000; now += 10) {
      driver.unmap(map(4096));
      driver.tick(now);
    }
    assertThat(map(4096).address()).isEqualTo(BASE);
    assertThat(driver.grantedBytes()).isEqualTo(8 * MIB);
  }

  @Test
  void deniedGrowthIsAskedForInAdvance() {
    for (long now = 0; now <= 3000; now += 10) {
      driver.tick(now);
    }
    driver.deny(true);
    while (driver.map(0, 0, 262_144) != null) {
      assertThat(driver.usedSlots()).isLessThanOrEqualTo(2048);
    }
    assertThat(driver.refusal()).isEqualTo(Refusal.FULL);
    assertThat(pool.plan().wantedBytes()).isEqualTo(12 * MIB);
    assertThat(driver.map(0, 0, 262_144)).isNull();
    assertThat(pool.plan().wantedBytes()).as("asked for once").isEqualTo(12 * MIB);
    driver.tick(3010);
    assertThat(driver.grantedBytes()).isEqualTo(12 * MIB);
  }

  @Test
  void poolNeverGrowsBeyondItsSize() {
    while (driver.mapAnywhere(0, 0, 262_144) != null) {
      assertThat(driver.grantedBytes()).isLessThanOrEqualTo(64 * MIB);
    }
    assertThat(driver.usedSlots()).isEqualTo((64 * MIB) >> 11);
    assertThat(driver.needs()).isZero();
  }

  @Test
  void restrictedPoolIsOneRangeThatStays() {
    final MagazinePool restricted =
        new MagazinePool(
            new PoolSpec(null, ExtentKind.RAM, 1L << 30, 2, 1024, 1, true),
            MagazineSettings.DEFAULTS);
    final SpiDriver own = new SpiDriver(restricted, ExtentKind.RAM, BASE, 64 * MIB).fill();
    assertThat(restricted.stripes()).isEqualTo(1);
    for (long now = 0; now < 20_000; now += 100) {
      own.tick(now);
    }
    assertThat(own.grantedBytes()).isEqualTo(2 * MIB);
    while (own.map(0, 0, 4096) != null) {
      assertThat(own.usedSlots()).isLessThanOrEqualTo(1024);
    }
    assertThat(own.usedSlots()).isEqualTo(1024);
    assertThat(own.needs()).isZero();
  }

  @Test
  void extentsOfARegionAreSmall() {
    final PoolSpec spec = new PoolSpec("dev", ExtentKind.DEVICE, 15 * MIB + MIB / 2, 2);
    final MagazinePool region = new MagazinePool(spec, MagazineSettings.DEFAULTS);
    assertThat(region.plan().extentBytes()).isEqualTo(Extent.SET_SIZE);
    assertThat(region.plan().wantedBytes()).isEqualTo(15 * MIB + MIB / 2);
    assertThat(region.maxMappingSize(0)).isEqualTo(262_144);
    final MagazinePool large =
        new MagazinePool(
            new PoolSpec("dev", ExtentKind.DEVICE, 64 * MIB, 2), MagazineSettings.DEFAULTS);
    assertThat(large.maxMappingSize(0)).isEqualTo(MIB);
  }

  @Test
  void sizes() {
    assertThat(new MagazinePool(ram(), MagazineSettings.DEFAULTS).plan().wantedBytes())
        .isEqualTo(64 * MIB);
    assertThat(new MagazinePool(ram(), new MagazineSettings(512, 64, 0, 0, 0)).stripes())
        .as("each stripe has a slot set at least")
        .isEqualTo(4);
    assertThat(new MagazinePool(ram(), new MagazineSettings(8192, 2, 1024, 0, 0)).maxMappingSize(0))
        .isEqualTo(MIB);
    assertThat(pool.plan().limit()).isEqualTo(1L << 32);
  }

  @Test
  void settingsOutOfRangeNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MagazineSettings(-1, 0, 0, 0, 0))
        .withMessage("slots=-1 is not in 0..2097152");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MagazineSettings(0, 0, 300, 0, 0))
        .withMessage("extentKiB=300 is neither 0 nor a power of two in 256..4096");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MagazineSettings(0, 0, 0, 0, -5))
        .withMessage("idleMs=-5 is not in 0..2147483647");
  }
}
