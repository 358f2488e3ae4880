package io.carom.swiotlb.dynamic;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.fake.FakeCore;
import io.carom.swiotlb.fixed.Fitting;
import org.junit.jupiter.api.Test;

/** The series' rules, and what it got wrong. */
class DynamicPoolTest {
  private static final long MEMORY = 8L << 20;

  private final MapRequest request = new MapRequest();
  private final DynamicPool pool =
      new DynamicPool(
          new PoolSpec(null, ExtentKind.RAM, MEMORY, 2), new DynamicSettings(512, 1, Fitting.AUTO));
  private final FakeCore core = new FakeCore(pool, MEMORY).fill();

  private MapRequest of(final long address, final long size) {
    request.address = address;
    request.size = size;
    request.dmaMask = -1;
    request.boundaryMask = -1;
    return request;
  }

  private long map(final long address, final long size) {
    return core.map(0, of(address, size));
  }

  @Test
  void pageOrMoreGetsMemoryOfItsOwnAndGivesItBack() {
    final long held = core.heldBytes();
    final long bus = map(0x1234, 6000);
    assertThat(core.needed).isOne();
    assertThat(core.heldBytes() - held).as("PAGE_ALIGN(6000)").isEqualTo(8192);
    assertThat(pool.transientSlots()).isEqualTo(3);
    assertThat(pool.usedSlots()).as("the series forgot to count these").isEqualTo(3);
    assertThat(pool.totalSlots()).isEqualTo(515);
    core.unmap(bus);
    assertThat(core.heldBytes()).isEqualTo(held);
    assertThat(pool.usedSlots()).isZero();
    assertThat(pool.transientSlots()).isZero();
  }

  @Test
  void whatTheSeriesRefusesGoesToFixedSlots() {
    map(0, 4095);
    request.minAlignMask = 0xfff;
    map(0x810, 8192);
    request.minAlignMask = 0;
    request.allocAlignMask = 0xfff;
    map(0, 8192);
    assertThat(core.needed).isZero();
    assertThat(pool.transientSlots()).isZero();
    assertThat(pool.usedSlots()).isEqualTo(2 + 6 - 1 + 4);
  }

  @Test
  void restrictedPoolIsFixedAlone() {
    final DynamicPool restricted =
        new DynamicPool(
            new PoolSpec("dev", ExtentKind.RAM, 256 << 11, 2, 0, 0, true),
            DynamicSettings.DEFAULTS);
    final FakeCore bound = new FakeCore(restricted, MEMORY).fill();
    assertThat(bound.plannedBytes() >> 11).isEqualTo(256);
    assertThat(bound.map(0, of(0, 262_144))).isNotNegative();
    assertThat(bound.map(0, of(0, 262_144))).isNotNegative();
    assertThat(bound.map(0, of(0, 4096))).isEqualTo(-1);
    assertThat(bound.refusal()).isEqualTo(Refusal.FULL);
    assertThat(bound.needed).isZero();
  }

  @Test
  void fixedSlotsStandInWhenMemoryIsDenied() {
    core.stingy(true);
    for (int i = 0; i < 4; i++) {
      assertThat(map(0, 262_144)).isNotNegative();
    }
    assertThat(pool.transientSlots()).isZero();
    assertThat(map(0, 4096)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    core.stingy(false);
    assertThat(map(0, 4096)).isNotNegative();
    assertThat(pool.transientSlots()).isEqualTo(2);
  }

  @Test
  void largerThanASlotSetNeedsMemory() {
    final long bus = map(0, 1 << 20);
    assertThat(bus).isNotNegative();
    core.unmap(bus);
    core.stingy(true);
    assertThat(map(0, 1 << 20)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(map(0, MEMORY + 1)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void boundaryIsNotCrossed() {
    map(0, 4096); // the next free page is not aligned to more than a page
    of(0, 60_000);
    request.boundaryMask = 0xffff;
    assertThat(core.map(0, request)).isNotNegative();
    assertThat(core.lastRun() & 0xffff).isZero();
    request.size = 65_537;
    assertThat(core.map(0, request)).isEqualTo(-1);
    assertThat(core.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void memoryBeyondTheDevicesMaskIsGivenBackAndFixedSlotsTried() {
    final long held = core.heldBytes();
    of(0, 4096);
    request.dmaMask = FakeCore.BASE + (1 << 20) - 1; // the fixed pool and nothing more
    assertThat(core.map(0, request)).isNotNegative();
    assertThat(pool.transientSlots()).isZero();
    assertThat(core.heldBytes()).isGreaterThan(held);
    core.tick(1);
    assertThat(core.heldBytes()).isEqualTo(held);
  }

  @Test
  void whatIsTakenBackBeforeItIsUsedIsForgotten() {
    final Placement answer = new Placement();
    pool.allocate(0, of(0, 4096), answer);
    assertThat(answer.kind()).isEqualTo(Placement.NEED_EXTENT);
    final Extent extent = new Extent(99, ExtentKind.RAM, 0x9000_0000L, 4096);
    pool.grantNeeded(0, extent);
    pool.retract(0, extent);
    answer.clear();
    pool.allocate(0, of(0, 4096), answer);
    assertThat(answer.kind()).isEqualTo(Placement.BOUNCE);
    assertThat(answer.runAddress()).isLessThan(0x9000_0000L);
    assertThat(pool.surplus(0)).isNull();
  }

  @Test
  void sizes() {
    assertThat(plan(new PoolSpec(null, ExtentKind.RAM, 1 << 30, 2))).isEqualTo(1 << 20);
    assertThat(plan(new PoolSpec(null, ExtentKind.RAM, 1 << 30, 16))).isEqualTo(4 << 20);
    assertThat(plan(new PoolSpec("d", ExtentKind.DEVICE, 16 << 20, 2))).isEqualTo(1 << 20);
    assertThat(plan(new PoolSpec("d", ExtentKind.DEVICE, 2 << 20, 2))).isEqualTo(512 << 10);
    assertThat(plan(new PoolSpec(null, ExtentKind.RAM, 1 << 30, 2, 4096, 0, false)))
        .isEqualTo(8 << 20);
    assertThat(pool.maxMappingSize(0xfff)).isEqualTo(258_048);
  }

  private static long plan(final PoolSpec spec) {
    return new DynamicPool(spec, DynamicSettings.DEFAULTS).plan().wantedBytes();
  }
}
