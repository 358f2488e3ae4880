package io.carom.swiotlb.fixed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The fixed pool does what Linux's does, with the figures that were read off the kernel. */
class FixedPoolTest {
  private static final long BASE = 0x1000_0000;

  private final MapRequest request = new MapRequest();
  private final Placement answer = new Placement();
  private final FixedPool pool = pool(4, 1);

  /** A pool of so many slot sets in so many areas, each granted to its area in turn. */
  private static FixedPool pool(final int sets, final int areas) {
    final FixedPool made =
        new FixedPool(
            new PoolSpec(null, ExtentKind.RAM, 1 << 30, areas),
            new FixedSettings((long) sets * Extent.SET_SLOTS, areas, Fitting.AUTO));
    final int each = sets / made.stripes();
    for (int i = 0; i < sets; i++) {
      made.grant(
          i / each,
          new Extent(i, ExtentKind.RAM, BASE + (long) i * Extent.SET_SIZE, Extent.SET_SIZE));
    }
    return made;
  }

  private MapRequest of(final long address, final long size) {
    request.address = address;
    request.size = size;
    request.dmaMask = -1L;
    request.boundaryMask = -1L;
    return request;
  }

  /** Maps and returns the first slot taken, or -1. */
  private int map(final FixedPool where, final int stripe, final long address, final long size) {
    answer.clear();
    where.allocate(stripe, of(address, size), answer);
    return answer.kind() == Placement.BOUNCE
        ? (int) ((answer.runAddress() - BASE) >> Extent.SLOT_SHIFT)
        : -1;
  }

  private int map(final long size) {
    return map(pool, 0, 0, size);
  }

  private void unmap(final int slot, final int slots) {
    pool.release(0, BASE + ((long) slot << Extent.SLOT_SHIFT), (long) slots << Extent.SLOT_SHIFT);
  }

  private Refusal refusal() {
    assertThat(answer.kind()).isEqualTo(Placement.REFUSED);
    return Refusal.values()[answer.refusal()];
  }

  @Test
  void smallMappingTakesOneSlot() {
    map(512);
    assertThat(pool.usedSlots()).isEqualTo(1);
    assertThat(answer.runBytes()).isEqualTo(2048);
  }

  @Test
  void largestMappingIsOneSlotSet() {
    assertThat(map(262_144)).isZero();
    assertThat(map(262_145)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(map(Long.MAX_VALUE)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void nextFitGoesOnBehindTheLastMapping() {
    assertThat(map(3 * 2048 - 1024)).isZero(); // three slots and, a page or more, page aligned
    assertThat(map(2048)).isEqualTo(3);
    assertThat(map(2048)).isEqualTo(4);
    unmap(0, 3);
    unmap(3, 1);
    unmap(4, 1);
    assertThat(map(2048)).isEqualTo(5);
    assertThat(pool.usedSlots()).isEqualTo(1);
  }

  @Test
  void firstFitUsesTheSameSlotsAgain() {
    final FixedPool first =
        new FixedPool(new PoolSpec("dev", ExtentKind.DEVICE, 1 << 20, 1), FixedSettings.DEFAULTS);
    first.grant(0, new Extent(0, ExtentKind.DEVICE, BASE, Extent.SET_SIZE));
    assertThat(map(first, 0, 0, 2048)).isZero();
    assertThat(map(first, 0, 0, 2048)).isEqualTo(1);
    first.release(0, BASE, 2048);
    assertThat(map(first, 0, 0, 2048)).isZero();
    assertThat(map(first, 0, 0, 2048)).isEqualTo(2);
  }

  @Test
  void mappingOfAPageOrMoreIsPageAligned() {
    assertThat(map(2048)).isZero();
    assertThat(map(4096)).isEqualTo(2);
    assertThat(map(2048)).isEqualTo(4);
    assertThat(map(4095)).isEqualTo(5);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0x123, 0x7ff, 0x800, 0x9a7, 0xfff})
  void minAlignMaskIsPreserved(final long offset) {
    map(2048);
    request.minAlignMask = 0xfff;
    assertThat(map(pool, 0, 0x7000 + offset, 100)).isNotNegative();
    assertThat(answer.busAddress() & 0xfff).isEqualTo(offset);
    assertThat(answer.busAddress() - answer.runAddress()).isLessThan(2048);
  }

  @ParameterizedTest
  @CsvSource({"0,262144", "0x1ff,260096", "0xfff,258048", "0xffff,196608"})
  void maxMappingSizeLeavesRoomForTheOffset(final String mask, final long size) {
    final long bits = Long.decode(mask);
    assertThat(pool.maxMappingSize(bits)).isEqualTo(size);
    request.minAlignMask = bits;
    assertThat(map(pool, 0, 0x10000 + bits, size)).as("at the worst offset").isNotNegative();
    if (bits == 0xfff) {
      assertThat(map(pool, 0, 0x10fff, 262_144)).isEqualTo(-1);
      assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
    }
  }

  @Test
  void allocAlignMaskAlignsAndPads() {
    map(2048);
    request.allocAlignMask = 0xfff;
    assertThat(map(100)).isEqualTo(2);
    assertThat(answer.runBytes()).isEqualTo(4096);
    assertThat(answer.busAddress() & 0xfff).isZero();
  }

  @Test
  void allocAndMinAlignMasksTogetherFitAtEveryOffset() {
    request.allocAlignMask = 0xffff;
    request.minAlignMask = 0xfff;
    for (long offset = 0; offset < 0x1000; offset += 0x111) {
      final int slot = map(pool, 0, 0x40000 + offset, 3000);
      assertThat(slot).isNotNegative();
      assertThat(answer.runAddress() & 0xffff).isZero();
      assertThat(answer.busAddress() & 0xfff).isEqualTo(offset);
      unmap(slot, (int) (answer.runBytes() >> 11));
    }
    assertThat(pool.usedSlots()).isZero();
  }

  @Test
  void runDoesNotCrossTheSegmentBoundary() {
    request.boundaryMask = 0xffff;
    answer.clear();
    final MapRequest r = of(0, 65_536);
    r.boundaryMask = 0xffff;
    pool.allocate(0, r, answer);
    assertThat(answer.kind()).isEqualTo(Placement.BOUNCE);
    answer.clear();
    r.size = 65_537;
    pool.allocate(0, r, answer);
    assertThat(refusal()).as("no room will ever do: not \"full\"").isEqualTo(Refusal.TOO_BIG);
    answer.clear();
    r.boundaryMask = -1L;
    pool.allocate(0, r, answer);
    assertThat(answer.kind()).as("all ones is no boundary").isEqualTo(Placement.BOUNCE);
  }

  @Test
  void areasAreApart() {
    final FixedPool four = pool(4, 4);
    assertThat(four.stripes()).isEqualTo(4);
    for (int stripe = 0; stripe < 4; stripe++) {
      assertThat(map(four, stripe, 0, 2048)).isEqualTo(stripe * 128);
    }
    assertThat(map(four, 2, 0, 262_144)).isEqualTo(-1);
    assertThat(refusal()).as("127 free").isEqualTo(Refusal.FULL);
  }

  @Test
  void thereAreNoMoreAreasThanSlotSets() {
    assertThat(pool(4, 64).stripes()).isEqualTo(4);
    assertThat(
            new FixedPool(
                    new PoolSpec(null, ExtentKind.RAM, 1 << 30, 64),
                    new FixedSettings((4 << 20) >> 11, 64, Fitting.AUTO))
                .stripes())
        .as("4 MiB, 64 processors")
        .isEqualTo(16);
  }

  @Test
  void fullAndFragmentedAreToldApart() {
    final FixedPool small = pool(1, 1);
    final List<Integer> slots = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      slots.add(map(small, 0, 0, 4096));
    }
    assertThat(slots).doesNotContain(-1);
    assertThat(map(small, 0, 0, 4096)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.FULL);
    for (int i = 0; i < 64; i++) { // every other slot: half is free, and no page fits
      small.release(0, BASE + ((long) slots.get(i) << 11), 2048);
    }
    assertThat(small.usedSlots()).isEqualTo(64);
    assertThat(small.largestFreeRun()).isEqualTo(2048);
    assertThat(map(small, 0, 0, 4096)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.FRAGMENTED);
    assertThat(map(small, 0, 0, 2048)).isNotNegative();
  }

  @Test
  void stripeWithoutExtentsIsFull() {
    final FixedPool empty =
        new FixedPool(new PoolSpec("dev", ExtentKind.DEVICE, 1 << 20, 2), FixedSettings.DEFAULTS);
    assertThat(map(empty, 0, 0, 512)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.FULL);
    assertThat(empty.largestFreeRun()).isZero();
  }

  @Test
  void sizesOfPools() {
    final PoolSpec ram = new PoolSpec(null, ExtentKind.RAM, 128L << 20, 2);
    assertThat(new FixedPool(ram, FixedSettings.DEFAULTS).plan().wantedBytes())
        .isEqualTo(16L << 20);
    final PoolSpec big = new PoolSpec(null, ExtentKind.RAM, 3L << 30, 2);
    assertThat(new FixedPool(big, FixedSettings.DEFAULTS).plan().wantedBytes())
        .isEqualTo(64L << 20);
    assertThat(new FixedPool(ram, new FixedSettings(129, 0, Fitting.AUTO)).plan().wantedBytes())
        .as("rounded up to whole slot sets")
        .isEqualTo(512 << 10);
    assertThat(new FixedPool(ram, new FixedSettings(129, 3, Fitting.AUTO)).stripes()).isEqualTo(2);
    assertThat(new FixedPool(ram, FixedSettings.DEFAULTS).plan().limit()).isEqualTo(1L << 32);
  }

  @Test
  void pageAlignmentIsForPagesOnly() {
    for (int hint = 0; hint < 5; hint++) {
      map(2048); // from any hint, odd or even
      assertThat(map(4096) & 1).isZero();
      assertThat(map(8192) & 1).isZero();
      final int slot = map(2048);
      assertThat(map(4095)).as("no promise below a page").isEqualTo(slot + 1);
    }
    request.minAlignMask = 0x1ff; // one mask is set: Linux promises no page then
    final int slot = map(2048);
    assertThat(map(4096)).isEqualTo(slot + 1);
  }

  @ParameterizedTest
  @ValueSource(longs = {0x7ff, 0xfff, 0x1fff, 0xffff, 0x1ffff, 0x3ffff})
  void allocAlignMaskBelowAtAndAboveAPage(final long mask) {
    map(2048);
    request.allocAlignMask = mask;
    assertThat(map(100)).isNotNegative();
    assertThat(answer.runAddress() & mask).isZero();
    assertThat(answer.runBytes()).isEqualTo(mask + 1);
    final long first = answer.runAddress();
    assertThat(map(mask + 1)).isNotNegative();
    assertThat(answer.runAddress() - first).as("aligned ones are a stride apart").isPositive();
    assertThat((answer.runAddress() - first) % (mask + 1)).isZero();
  }

  @Test
  void padSlotsPrecedeABufferWithBothMasks() {
    request.allocAlignMask = 0xffff;
    request.minAlignMask = 0xfff;
    map(pool, 0, 0x40000 + 0x9a7, 100);
    assertThat(answer.busAddress() - answer.runAddress()).isEqualTo(0x9a7);
    assertThat(pool.usedSlots()).as("padding before and behind it").isEqualTo(32);
    pool.release(0, answer.runAddress(), answer.runBytes());
    assertThat(pool.usedSlots()).as("pad slots are freed too").isZero();
    assertThat(pool.largestFreeRun()).isEqualTo(262_144);
  }

  @Test
  void worstOffsetAtTheMaskIsTooBigNotFull() {
    request.minAlignMask = 0xfff;
    assertThat(map(pool, 0, 0x10fff, 262_144)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(map(pool, 0, 0x10fff, 258_048)).isNotNegative();
  }

  @Test
  void tooBigIsNotFullInAnEmptyPool() {
    assertThat(map(512 << 10)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(map(2 << 20)).isEqualTo(-1);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
    assertThat(pool.usedSlots()).isZero();
  }

  @Test
  void boundaryBelowASlotSaysWhereInTheSlot() {
    request.minAlignMask = 0x7ff;
    final MapRequest r = of(0x1100, 256);
    r.boundaryMask = 0x1ff;
    answer.clear();
    pool.allocate(0, r, answer);
    assertThat(answer.busAddress() & 0x1ff).isEqualTo(0x100);
    r.size = 257;
    answer.clear();
    pool.allocate(0, r, answer);
    assertThat(refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void halfUsedPoolOfSingleSlotsIsFragmentedForAPage() {
    final FixedPool whole = pool(4, 1);
    for (int i = 0; i < 512; i++) {
      assertThat(map(whole, 0, 0, 2048)).isEqualTo(i);
    }
    for (int i = 0; i < 512; i += 2) {
      whole.release(0, BASE + ((long) i << 11), 2048);
    }
    assertThat(whole.usedSlots()).isEqualTo(256);
    for (int i = 0; i < 3; i++) {
      assertThat(map(whole, 0, 0, 4096)).isEqualTo(-1);
      assertThat(refusal()).isEqualTo(Refusal.FRAGMENTED);
    }
    whole.release(0, BASE + (101L << 11), 2048); // slots 100 to 102 are one run now
    assertThat(map(whole, 0, 0, 4096)).isEqualTo(100);
    whole.release(0, BASE + (301L << 11), 2048);
    whole.release(0, BASE + (303L << 11), 2048);
    assertThat(map(whole, 0, 0, 10_240)).isEqualTo(300);
    assertThat(map(whole, 0, 0, 4096)).isEqualTo(-1);
  }

  @Test
  void lifoTakesWhatWasFreedLast() {
    final FixedPool lifo =
        new FixedPool(
            new PoolSpec(null, ExtentKind.RAM, 1 << 30, 1),
            new FixedSettings(256, 1, Fitting.LIFO));
    for (int i = 0; i < 2; i++) {
      lifo.grant(0, new Extent(i, ExtentKind.RAM, BASE + i * 262_144L, 262_144));
    }
    for (int i = 0; i < 40; i++) {
      assertThat(map(lifo, 0, 0, 4096)).as("first fit while nothing was freed").isEqualTo(2 * i);
    }
    for (final int i : new int[] {4, 20, 12}) {
      lifo.release(0, BASE + ((2L * i) << 11), 4096);
    }
    assertThat(map(lifo, 0, 0, 2048)).as("of this size none was freed").isEqualTo(8);
    assertThat(map(lifo, 0, 0, 4096)).isEqualTo(24);
    assertThat(map(lifo, 0, 0, 4096)).isEqualTo(40);
    assertThat(map(lifo, 0, 0, 4096)).as("slot 8 is not free any more").isEqualTo(80);
    for (int i = 0; i < 40; i++) { // more than are remembered
      if (i != 4) {
        lifo.release(0, BASE + ((2L * i) << 11), 4096);
      }
    }
    assertThat(map(lifo, 0, 0, 4096)).isEqualTo(78);
    request.minAlignMask = 0xfff;
    assertThat(map(lifo, 0, 0x800, 4096)).as("none of them begins at an odd slot").isEqualTo(1);
    request.minAlignMask = 0;
    lifo.retract(0, new Extent(1, ExtentKind.RAM, BASE + 262_144L, 262_144));
    assertThat(map(lifo, 0, 0, 4096)).isEqualTo(76);
  }

  @Test
  void parameterWinsOverTheConfiguration() {
    final PoolSpec asked = new PoolSpec(null, ExtentKind.RAM, 1 << 30, 2, 1000, 4, false);
    final FixedPool made = new FixedPool(asked, new FixedSettings(4096, 8, Fitting.AUTO));
    assertThat(made.plan().wantedBytes()).as("rounded up to 128").isEqualTo(1024 << 11);
    assertThat(made.stripes()).isEqualTo(4);
    assertThat(
            new FixedPool(
                    new PoolSpec(null, ExtentKind.RAM, 1 << 30, 2, 0, 3, false),
                    new FixedSettings(4096, 8, Fitting.AUTO))
                .stripes())
        .as("areas alone, rounded up")
        .isEqualTo(4);
  }

  @Test
  void parameterWithFewSlotsGrowsThePoolToItsAreas() {
    final PoolSpec asked = new PoolSpec(null, ExtentKind.RAM, 1 << 30, 2, 128, 4, false);
    final FixedPool made = new FixedPool(asked, FixedSettings.DEFAULTS);
    assertThat(made.plan().wantedBytes() >> 11).isEqualTo(512);
    assertThat(made.stripes()).isEqualTo(4);
  }

  @Test
  void restrictedPoolIsOneAreaOverAllOfItsRange() {
    final PoolSpec spec = new PoolSpec("dev", ExtentKind.RAM, 256 << 11, 8, 4096, 8, true);
    final FixedPool made = new FixedPool(spec, new FixedSettings(2048, 4, Fitting.AUTO));
    assertThat(made.stripes()).isOne();
    assertThat(made.plan().wantedBytes() >> 11).isEqualTo(256);
    assertThat(made.plan().limit()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void settingsOutOfRangeNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FixedSettings(-1, 0, Fitting.AUTO))
        .withMessage("slots=-1 is not in 0..2097152");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FixedSettings(0, 1025, Fitting.AUTO))
        .withMessage("areas=1025 is not in 0..1024");
  }
}
