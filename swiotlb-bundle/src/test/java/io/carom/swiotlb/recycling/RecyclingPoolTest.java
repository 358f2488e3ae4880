package io.carom.swiotlb.recycling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
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
import org.junit.jupiter.params.provider.EnumSource;

/** What the recycling pool promises. */
class RecyclingPoolTest {
  private static final long BASE = 0x1000_0000;
  private static final long CEILING = 1000;

  private RecyclingPool pool = pool(SizeClasses.SLOTS, CEILING, 1);
  private SpiDriver driver = driver(pool);

  private static RecyclingPool pool(
      final SizeClasses classes, final long ceiling, final int areas) {
    return new RecyclingPool(
        new PoolSpec("dev", ExtentKind.RAM, 1L << 30, 2),
        new RecyclingSettings(ceiling, areas, classes, 1000, 70, 65));
  }

  private static SpiDriver driver(final RecyclingPool pool) {
    return new SpiDriver(pool, ExtentKind.RAM, BASE, 64 << 20).fill();
  }

  private void use(final RecyclingPool other) {
    pool = other;
    driver = driver(other);
  }

  private Run map(final long size) {
    return Objects.requireNonNull(driver.map(0, 0x5000, size));
  }

  private void pass(final long fromMs, final long toMs) {
    for (long now = fromMs; now <= toMs; now += 10) {
      driver.tick(now);
    }
  }

  @Test
  void poolBeginsEmptyAndBuffersAreKept() {
    assertThat(driver.grantedBytes()).isZero();
    final Run first = map(9000);
    assertThat(driver.grantedBytes()).isEqualTo(12_288);
    driver.unmap(first);
    for (int i = 0; i < 1000; i++) {
      final Run again = map(9000);
      assertThat(again.address()).isEqualTo(first.address());
      driver.unmap(again);
    }
    assertThat(driver.needs()).as("extents for a thousand maps").isEqualTo(1);
    driver.checkCounts();
  }

  @ParameterizedTest
  @CsvSource({
    "100, 4096, 1",
    "512, 4096, 1",
    "513, 4096, 1",
    "4096, 4096, 2",
    "4097, 16384, 3",
    "16384, 16384, 8",
    "16385, 524288, 9",
    "524288, 524288, 256"
  })
  void classesOfCcSwiotlb(final long size, final long bytes, final int slots) {
    use(pool(SizeClasses.CC, CEILING, 1));
    assertThat(map(size).slots()).isEqualTo(slots);
    assertThat(driver.grantedBytes()).isEqualTo(bytes);
    assertThat(driver.map(0, 0, 524_289)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void smallestClassIsApartAndCountsAsASlot() {
    use(pool(SizeClasses.CC, CEILING, 1));
    final Run tiny = map(512);
    driver.unmap(tiny);
    final Run slot = map(513);
    assertThat(slot.address()).isNotEqualTo(tiny.address());
    assertThat(map(64).address()).isEqualTo(tiny.address());
    assertThat(pool.usedSlots()).isEqualTo(2);
  }

  @Test
  void multiplesOfASlotAreApart() {
    final Run three = map(6000);
    driver.unmap(three);
    assertThat(map(8192).address()).isNotEqualTo(three.address());
    assertThat(map(6144).address()).isEqualTo(three.address());
  }

  @Test
  void slightlyLargerBufferIsTaken() {
    final Run run = map(40 << 11);
    driver.unmap(run);
    assertThat(map(33 << 11).address()).as("within a quarter").isEqualTo(run.address());
    assertThat(map(20 << 11).address()).isNotEqualTo(run.address());
  }

  @Test
  void alignmentIsAskedForAndWrongBuffersArePassedOver() {
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      runs.add(map(8192));
    }
    runs.forEach(driver::unmap);
    driver.request.allocAlignMask = 0xffff;
    final Run aligned = map(100);
    assertThat(aligned.slots()).isEqualTo(32);
    driver.unmap(aligned);
    assertThat(map(65_536).address()).isEqualTo(aligned.address());
    driver.request.allocAlignMask = 0;
    driver.request.minAlignMask = 0xfff;
    for (final long offset : new long[] {0, 0x123, 0x7ff, 0x800, 0x9a7, 0xfff}) {
      final Run run = Objects.requireNonNull(driver.map(0, 0x7000 + offset, 3000));
      assertThat(run.busAddress() & 0xfff).isEqualTo(offset);
      driver.unmap(run);
    }
    driver.checkCounts();
  }

  @Test
  void boundaryIsKept() {
    map(4096);
    driver.request.boundaryMask = 0xffff;
    for (int i = 0; i < 20; i++) {
      map(40 << 10);
    }
    map(65_536);
    final int needs = driver.needs();
    assertThat(driver.map(0, 0, 65_537)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(driver.needs()).as("nothing is made for what never fits").isEqualTo(needs);
  }

  @ParameterizedTest
  @EnumSource(SizeClasses.class)
  void largestMappingFitsAtTheWorstOffset(final SizeClasses classes) {
    use(pool(classes, CEILING, 1));
    for (final long bits : new long[] {0, 0x1ff, 0xfff, 0xffff}) {
      driver.request.minAlignMask = bits;
      driver.unmap(
          Objects.requireNonNull(driver.map(0, 0x10_0000 + bits, pool.maxMappingSize(bits))));
      driver.tick(0);
    }
  }

  @Test
  void workingSetStaysAndTheRestGoesBackInTwoSteps() {
    final List<Run> burst = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      burst.add(map(4096));
    }
    burst.forEach(driver::unmap);
    for (long now = 0; now <= 2000; now += 10) {
      driver.tick(now);
      final List<Run> working = List.of(map(4096), map(4096), map(4096));
      working.forEach(driver::unmap);
      if (now < 1000) {
        assertThat(driver.extents()).as("at %d ms", now).isEqualTo(10);
      }
    }
    assertThat(driver.extents()).as("the working set").isEqualTo(3);
    pass(2010, 5000);
    assertThat(driver.extents()).as("idle").isZero();
    assertThat(pool.totalSlots()).isZero();
    assertThat(driver.needs()).isEqualTo(10);
  }

  @Test
  void sleepersWaitFromTheHighMarkToTheLowMark() {
    driver.request.attributes = DmaAttributes.MAY_SLEEP;
    for (int i = 0; i < 351; i++) {
      map(4096); // up to 702 of 1000: 700 is not above the mark
    }
    assertThat(driver.map(0, 0, 4096)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
    driver.request.attributes = DmaAttributes.NONE;
    map(4096); // who cannot wait need not
    driver.request.attributes = DmaAttributes.MAY_SLEEP;
    while (driver.usedSlots() > 650) {
      driver.unmap(driver.live().getLast());
      assertThat(driver.map(0, 0, 4096)).as("at %d slots", driver.usedSlots()).isNull();
      assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
    }
    driver.unmap(driver.live().getLast());
    assertThat(driver.usedSlots()).isEqualTo(648);
    map(4096);
    map(4096);
    assertThat(driver.usedSlots()).isEqualTo(652);
    driver.unmap(map(4096));
  }

  @Test
  void ceilingIsNeverExceeded() {
    while (driver.map(0, 0, 4096) != null) {
      assertThat(driver.grantedBytes() >> 11).isLessThanOrEqualTo(CEILING);
    }
    assertThat(driver.refusal()).isEqualTo(Refusal.FULL);
    assertThat(driver.usedSlots()).isEqualTo(CEILING);
    driver.request.attributes = DmaAttributes.MAY_SLEEP;
    assertThat(driver.map(0, 0, 4096)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
    driver.checkCounts();
  }

  @Test
  void freeBuffersOfOtherSizesMakeRoom() {
    final List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      runs.add(map(4096));
    }
    runs.forEach(driver::unmap);
    assertThat(driver.map(0, 0, 65_536)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.FULL);
    driver.tick(10);
    assertThat(map(65_536).slots()).isEqualTo(32);
    assertThat(driver.grantedBytes() >> 11).isEqualTo(532);
    driver.checkCounts();
  }

  @Test
  void largeBufferServesASmallRequestWhenThereIsNoRoom() {
    use(pool(SizeClasses.CC, 256, 1));
    final Run large = map(500_000);
    driver.unmap(large);
    final Run small = map(4096);
    assertThat(small.address()).isEqualTo(large.address());
    assertThat(small.slots()).isEqualTo(2);
  }

  @Test
  void deniedExtentLeavesNoReservationBehind() {
    driver.deny(true);
    for (int i = 0; i < 2000; i++) {
      assertThat(driver.map(0, 0, 4096)).isNull();
      assertThat(driver.refusal()).isEqualTo(Refusal.FULL);
    }
    driver.deny(false);
    for (int i = 0; i < 500; i++) {
      map(4096);
    }
    assertThat(driver.usedSlots()).isEqualTo(CEILING);
  }

  @Test
  void sleepersWaitForFreeBuffersWhereThereIsNoMemory() {
    driver.unmap(map(4096));
    driver.request.attributes = DmaAttributes.MAY_SLEEP;
    driver.deny(true); // as where what is free of a region is in pieces
    assertThat(driver.map(0, 0, 65_536)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
    driver.tick(10);
    assertThat(driver.extents()).as("the free buffer went").isZero();
    assertThat(driver.map(0, 0, 65_536)).isNull();
    assertThat(driver.refusal()).as("nothing to wait for").isEqualTo(Refusal.FULL);
    driver.deny(false);
    map(65_536);
  }

  @Test
  void stripesShareTheCeiling() {
    use(pool(SizeClasses.SLOTS, CEILING, 2));
    assertThat(pool.stripes()).isEqualTo(2);
    while (driver.map(0, 0, 4096) != null) {
      assertThat(driver.grantedBytes() >> 11).isLessThanOrEqualTo(CEILING);
    }
    assertThat(driver.map(1, 0, 4096)).isNull();
    driver.unmap(driver.live().getFirst());
    assertThat(driver.map(1, 0, 4096)).as("free, but in the other stripe").isNull();
    assertThat(driver.mapAnywhere(1, 0, 4096)).isNotNull();
  }

  @Test
  void regionAndParameterAreCeilings() {
    final RecyclingPool region =
        new RecyclingPool(
            new PoolSpec("dev", ExtentKind.DEVICE, 1 << 20, 1), RecyclingSettings.DEFAULTS);
    final SpiDriver own = new SpiDriver(region, ExtentKind.DEVICE, BASE, 1 << 20).fill();
    while (own.map(0, 0, 4096) != null) {
      assertThat(own.usedSlots()).isLessThanOrEqualTo(512);
    }
    assertThat(own.usedSlots()).isEqualTo(512);
    final RecyclingPool given =
        new RecyclingPool(
            new PoolSpec("dev", ExtentKind.RAM, 1 << 30, 8, 128, 1, false),
            RecyclingSettings.DEFAULTS);
    assertThat(given.stripes()).isEqualTo(1);
    assertThat(given.maxMappingSize(0)).isEqualTo(262_144);
  }

  @Test
  void settingsOutOfRangeNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RecyclingSettings(0, 0, SizeClasses.CC, 0, 70, 65))
        .withMessage("decayMs=0 is not in 1..2147483647");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RecyclingSettings(0, 0, SizeClasses.CC, 1, 60, 65))
        .withMessage("lowPercent=65 is above highPercent=60");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SizeClasses.parse("big"))
        .withMessage("classes='big' is none of slots, cc");
  }
}
