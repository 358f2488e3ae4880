package io.carom.swiotlb.growing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.fake.FakeCore;
import io.carom.swiotlb.fixed.Fitting;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Linux's growing pool does, with its figures, and what it does not. */
class GrowingPoolTest {
  private static final long MEMORY = 32L << 20;
  private static final long SET = 256 << 10;

  private final MapRequest request = new MapRequest();
  private GrowingPool pool = pool(512, 1, 1 << 20, 8192, 100, false);
  private FakeCore core = new FakeCore(pool, MEMORY).fill();

  private static GrowingPool pool(
      final long slots,
      final int areas,
      final long growBytes,
      final long maxSlots,
      final int percent,
      final boolean active) {
    return new GrowingPool(
        new PoolSpec(null, ExtentKind.RAM, MEMORY, areas),
        new GrowingSettings(slots, areas, Fitting.AUTO, growBytes, maxSlots, 100, percent, active));
  }

  private void use(final GrowingPool other) {
    pool = other;
    core = new FakeCore(pool, MEMORY).fill();
  }

  private long map(final int stripe, final long address, final long size) {
    request.address = address;
    request.size = size;
    request.dmaMask = -1;
    request.boundaryMask = -1;
    return core.map(stripe, request);
  }

  private List<Long> fillUp() {
    final List<Long> made = new ArrayList<>();
    while (pool.usedSlots() < pool.totalSlots()) {
      made.add(map(0, made.size(), SET));
    }
    assertThat(made).doesNotContain(-1L);
    return made;
  }

  @Test
  void fullPoolServesFromMemoryForOneMappingUntilItHasGrown() {
    fillUp();
    final long held = core.heldBytes();
    final long bus = map(0, 0, 6000);
    assertThat(bus).isNotNegative();
    assertThat(pool.transientSlots()).isEqualTo(3);
    assertThat(core.heldBytes() - held).isEqualTo(8192);
    core.tick(1);
    assertThat(pool.totalSlots())
        .as("512 to 1024, and what is for one mapping")
        .isEqualTo(1024 + 3);
    map(0, 0, 4096);
    assertThat(core.needed).as("the next one comes from the new pool").isOne();
    core.unmap(bus);
    assertThat(pool.transientSlots()).isZero();
    assertThat(core.heldBytes()).isEqualTo(2 << 20);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0x123, 0x7ff, 0x800, 0x810, 0x9a7, 0xff0, 0xfff})
  void memoryForOneMappingKeepsAddressBits(final long offset) {
    fillUp();
    request.minAlignMask = 0xfff; // Linux fails for each offset from 0x800 on
    final long bus = map(0, 0x7000 + offset, 6000);
    assertThat(bus & 0xfff).isEqualTo(offset);
    request.minAlignMask = 0xffff;
    assertThat(map(0, 0x1_9000 + offset, 6000) & 0xffff).isEqualTo(0x9000 + offset);
    request.allocAlignMask = 0x3fff;
    assertThat(map(0, 0x1_9000 + offset, 6000) & 0xffff).isEqualTo(0x9000 + offset);
    assertThat(pool.transientSlots()).isPositive();
    assertThat(core.needed).isEqualTo(3);
  }

  @Test
  void memoryForOneMappingIsForOne() {
    fillUp();
    map(0, 0, 6000);
    map(0, 0, 100);
    assertThat(core.needed).as("53c87e846e33: no slot beyond the end").isEqualTo(2);
  }

  @Test
  void growthEndsAtTheCeiling() {
    use(pool(512, 1, 1 << 20, 1200, 100, false));
    final List<Long> made = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      made.add(map(0, i, SET));
      core.tick(i);
    }
    assertThat(made).doesNotContain(-1L);
    assertThat(pool.transientSlots()).as("the fifth came before the pool").isEqualTo(128);
    assertThat(map(0, 0, SET)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    core.tick(10);
    assertThat(pool.totalSlots()).as("in sets, of 1200").isEqualTo(1152);
    core.unmap(made.get(4));
    map(0, 0, 2048);
    assertThat(core.needed).isEqualTo(2);
    core.unmap(core.lastRun());
    core.tick(11);
    assertThat(pool.totalSlots()).as("a smaller pool for the rest").isEqualTo(1152);
    assertThat(pool.transientSlots()).isZero();
    assertThat(map(0, 0, SET)).isNotNegative();
    assertThat(map(0, 0, SET)).isEqualTo(-1);
  }

  @Test
  void idlePoolsAreGivenBack() {
    final List<Long> made = fillUp();
    final List<Long> more = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      more.add(map(0, i, SET));
      core.tick(i);
    }
    assertThat(core.plannedBytes()).isEqualTo(3 << 20);
    more.forEach(core::unmap);
    core.tick(100);
    core.tick(199);
    assertThat(core.plannedBytes()).as("99 ms").isEqualTo(3 << 20);
    core.tick(200);
    assertThat(core.plannedBytes()).isEqualTo(1 << 20);
    core.tick(300);
    assertThat(core.heldBytes()).isEqualTo(1 << 20);
    made.forEach(core::unmap);
  }

  @Test
  void usedPoolIsNotIdle() {
    fillUp();
    map(0, 0, 2048);
    core.tick(0);
    assertThat(core.plannedBytes()).isEqualTo(2 << 20);
    for (int now = 10; now < 500; now += 10) {
      core.unmap(map(0, 0, 2048)); // in and out between the ticks
      core.tick(now);
    }
    assertThat(core.plannedBytes()).isEqualTo(2 << 20);
    core.tick(600);
    core.tick(700);
    assertThat(core.plannedBytes()).isEqualTo(1 << 20);
  }

  @Test
  void growsAtTheWatermark() {
    use(pool(512, 1, 1 << 20, 8192, 75, false));
    map(0, 0, SET);
    map(0, 1, SET);
    core.tick(1);
    assertThat(core.plannedBytes()).as("half is used").isEqualTo(1 << 20);
    map(0, 2, SET);
    core.tick(2);
    assertThat(core.plannedBytes()).as("three quarters are").isEqualTo(2 << 20);
    map(0, 3, SET);
    map(0, 4, SET);
    map(0, 5, SET);
    assertThat(core.needed).isZero();
    core.tick(3);
    assertThat(core.plannedBytes()).isEqualTo(3 << 20);
    core.tick(1000);
    core.tick(2000);
    assertThat(core.plannedBytes()).as("without it the watermark is passed").isEqualTo(3 << 20);
  }

  @Test
  void poolIsHalvedWhereMemoryIsShort() {
    pool = pool(512, 1, 4 << 20, 8192, 100, false);
    core = new FakeCore(pool, 2 << 20).fill();
    fillUp();
    map(0, 0, 4096);
    core.tick(1);
    assertThat(core.plannedBytes()).as("all whole slot sets that there are").isEqualTo(7 * SET);
  }

  @Test
  void otherStripesAreAskedBeforeMemoryIsMade() {
    use(pool(512, 4, 1 << 20, 8192, 100, false));
    assertThat(pool.stripes()).isEqualTo(4);
    for (int i = 0; i < 4; i++) {
      assertThat(map(2, i, SET)).isNotNegative();
    }
    assertThat(core.needed).isZero();
    assertThat(map(2, 4, SET)).isNotNegative();
    assertThat(core.needed).isOne();
    core.tick(1);
    assertThat(map(1, 5, SET)).isNotNegative();
    assertThat(core.needed).as("the new pool is another stripe's").isOne();
  }

  @Test
  void requestThatNoStripeCanPlaceIsServedThoughEachSeemsToHaveRoom() {
    use(pool(512, 4, 1 << 20, 8192, 100, false));
    final List<Long> made = new ArrayList<>();
    for (int i = 0; i < 512; i++) {
      made.add(map(i / 128, i, 2048));
    }
    for (int i = 0; i < 512; i += 32) { // runs of 24 slots, none of which is aligned to 64 KiB
      for (int slot = 4; slot < 28; slot++) {
        core.unmap(made.get(i + slot));
      }
    }
    request.allocAlignMask = 0xffff;
    for (int i = 0; i < 8; i++) {
      assertThat(map(i & 3, 77, 20_000)).isNotNegative();
    }
    assertThat(core.needed).isEqualTo(8);
  }

  @Test
  void devicesSearchTheirOwnPoolsFirst() {
    use(pool(128, 1, SET, 8192, 100, true));
    final long whole = map(0, 0, SET);
    map(0, 1, 4096);
    core.tick(1);
    request.device = 7;
    final long first = map(0, 2, SET); // all of the first pool that was added
    map(0, 3, 4096);
    core.tick(2);
    request.device = 8;
    final long second = map(0, 4, 100 << 10); // in the second
    core.unmap(first);
    request.device = 8;
    final long beside = map(0, 5, 4096);
    assertThat(beside & -SET).isEqualTo(second & -SET);
    request.device = 9;
    assertThat(map(0, 6, 4096) & -SET).isEqualTo(first & -SET);
    core.unmap(whole);
    request.device = 8;
    assertThat(map(0, 7, 4096) & -SET).as("what it began with comes first").isEqualTo(whole & -SET);
  }

  @Test
  void restrictedPoolNeverGrows() {
    use(
        new GrowingPool(
            new PoolSpec("dev", ExtentKind.RAM, 256 << 11, 2, 0, 0, true),
            GrowingSettings.DEFAULTS));
    assertThat(pool.stripes()).isOne();
    fillUp();
    assertThat(map(0, 0, 512)).isEqualTo(-1);
    core.tick(1);
    assertThat(pool.totalSlots()).isEqualTo(256);
    assertThat(core.needed).isZero();
  }

  @Test
  void regionIsTakenByAndBy() {
    use(
        new GrowingPool(
            new PoolSpec("dev", ExtentKind.DEVICE, 16 << 20, 2), GrowingSettings.DEFAULTS));
    assertThat(core.plannedBytes()).isEqualTo(4 << 20);
    for (int now = 0; now < 200; now++) {
      map(now & 1, now, SET);
      core.tick(now);
    }
    assertThat(core.plannedBytes()).isLessThanOrEqualTo(16 << 20).isGreaterThan(12 << 20);
  }

  @Test
  void deniedMapsAreFull() {
    fillUp();
    core.stingy(true);
    assertThat(map(0, 0, 512)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(map(0, 0, SET + 1)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void settingsOutOfRangeNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(0, 1000, 0, 1, 100))
        .withMessage("growBytes=1000 is not in 262144..268435456");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(0, 1 << 20, 0, 0, 100))
        .withMessage("idleMs=0 is not in 1..86400000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(0, 1 << 20, 0, 1, 101))
        .withMessage("growAtPercent=101 is not in 1..100");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(1024, 1 << 20, 512, 1, 100))
        .withMessage("maxSlots=512 is less than slots=1024, which a pool begins with");
  }

  private static GrowingSettings settings(
      final long slots, final long grow, final long most, final long idle, final int percent) {
    return new GrowingSettings(slots, 0, Fitting.AUTO, grow, most, idle, percent, false);
  }
}
