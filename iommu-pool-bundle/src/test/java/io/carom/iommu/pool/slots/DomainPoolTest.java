package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.fake.FakeCore;
import io.carom.iommu.pool.fake.FakeCore.Live;
import io.carom.iommu.pool.fake.FakeCore.Waiting;
import io.carom.iommu.pool.fake.FakeSpace;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pool, case by case. */
class DomainPoolTest {
  private static final long KIB = 1024;

  private final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
  private final BounceLimit limit = new BounceLimit(512 * KIB);
  private final StrategyInstance pool = open(PoolSettings.DEFAULTS, space, 2);
  private final FakeCore core = new FakeCore(pool, space);

  private StrategyInstance open(
      final PoolSettings settings, final IovaSpace addresses, final int cpus) {
    return new PoolStrategy(settings, limit)
        .open(new PoolSpec(null, ExtentKind.IOVA, 0, cpus, 0, 0, false, addresses));
  }

  private static MapRequest read(final long address, final long size) {
    return FakeCore.request(address, size, DmaDirection.FROM_DEVICE);
  }

  private static MapRequest must(final long address, final long size) {
    final MapRequest request = FakeCore.request(address, size, DmaDirection.FROM_DEVICE);
    request.mustBounce = true;
    return request;
  }

  private static MapRequest masked(final MapRequest request, final long mask) {
    request.dmaMask = mask;
    return request;
  }

  @Test
  void nothingIsReservedBeforeTheFirstMap() {
    assertThat(space.leasedRanges()).isZero();
    core.unmap(core.map(0, read(0, 4096)));
    assertThat(space.leasedRanges()).isOne();
    assertThat(space.leasedBytes()).as("1020 MiB").isEqualTo(1020 << 20);
    assertThat(core.sizeClass(4096).slots()).isEqualTo(1024);
    pool.close();
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void warmPoolAsksNothing() {
    final MapRequest request = read(0x12_3200, 4096);
    core.unmap(core.map(0, request));
    assertThat(core.maps).isOne();
    final int leases = space.leases;
    for (int i = 0; i < 1000; i++) {
      core.unmap(core.map(0, request));
    }
    assertThat(core.maps).isOne();
    assertThat(core.unmaps).isZero();
    assertThat(space.leases).isEqualTo(leases);
    assertThat(core.sizeClass(8192).hits()).as("two granules, as it has an offset").isEqualTo(1000);
    assertThat(core.sizeClass(8192).misses()).isOne();
  }

  @Test
  void newestIdleBufferIsUsedFirst() {
    final Live one = core.map(0, read(0, 4096));
    final Live two = core.map(0, read(0, 4096));
    core.unmap(one);
    core.unmap(two);
    assertThat(core.map(0, read(0, 100)).run()).isEqualTo(two.run());
  }

  @Test
  void permissionsAreNeverMixed() {
    final List<Long> runs = new ArrayList<>();
    for (final DmaDirection direction : DmaDirection.values()) {
      for (final int attributes : new int[] {0, DmaAttributes.PRIVILEGED}) {
        final MapRequest request = FakeCore.request(0, 4096, direction);
        request.attributes = attributes;
        final Live live = core.map(0, request); // the core checks its extent's permission
        runs.add(live.run());
        core.unmap(live);
      }
    }
    assertThat(runs).doesNotHaveDuplicates();
    assertThat(core.maps).isEqualTo(6);
    assertThat(core.sizeClass(4096).cachedRead()).isEqualTo(2);
    assertThat(core.sizeClass(4096).cachedWrite()).isEqualTo(2);
    assertThat(core.sizeClass(4096).cachedReadWrite()).isEqualTo(2);
  }

  @Test
  void listsArePackedInOneBuffer() {
    final MapRequest list = read(0x12_3e00, 70_000);
    list.entries = 18;
    final Live live = core.map(1, list);
    assertThat(live.bytes()).isEqualTo(128 * KIB);
    assertThat(live.bus()).isEqualTo(live.run());
  }

  @Test
  void limitHoldsForMapsFromThenOn() {
    final Live before = core.map(0, read(0, 8192));
    assertThat(before.bounced()).isTrue();
    limit.set(4096);
    assertThat(core.map(0, read(0, 8192)).bounced()).isFalse();
    assertThat(core.map(0, read(0x800, 4096)).bounced()).as("its size counts").isTrue();
    core.unmap(before);
    assertThat(core.sizeClass(8192).cachedWrite()).as("kept all the same").isEqualTo(1);
    limit.set(0);
    assertThat(core.map(0, read(0, 1)).bounced()).isFalse();
    assertThat(core.map(0, must(0, 1)).bounced()).isTrue();
    limit.set(512 * KIB);
    assertThat(core.map(0, read(0, 8192)).run()).isEqualTo(before.run());
  }

  @Test
  void limitMayChangeBetweenAskingAndAnswer() {
    final Waiting waiting = core.begin(0, read(0, 4096));
    limit.set(0);
    assertThat(core.finish(waiting, true).bounced()).isTrue();
  }

  @Test
  void longLivedMappingsAreBouncedOnlyWhereTheyMust() {
    final MapRequest request = read(0x80, 64);
    request.attributes = DmaAttributes.PERSISTENT_STREAMING;
    assertThat(core.map(0, request).bounced()).isFalse();
    request.mustBounce = true;
    assertThat(core.map(0, request).bounced()).isTrue();
    request.attributes = DmaAttributes.MMIO;
    assertThat(core.map(0, request).bounced()).isFalse();
  }

  @Test
  void tooBigForASlotIsRemappedOrHasABufferOfItsOwn() {
    limit.set(1L << 30);
    assertThat(core.map(0, read(0, 512 * KIB)).bounced()).isTrue();
    assertThat(core.map(0, read(0, 512 * KIB + 1)).bounced()).isFalse();
    final Live own = core.map(0, must(0, 512 * KIB + 1));
    assertThat(own.bounced()).isTrue();
    assertThat(own.bytes()).as("no power of two").isEqualTo(516 * KIB);
    assertThat(core.map(0, read(0, 3L << 30)).bounced()).as("above 2^31 too").isFalse();
    assertThat(core.map(0, must(1, 3L << 30)).bytes()).isEqualTo((3L << 30) + 4096);
  }

  @Test
  void exhaustedClassIsRemappedOrHasBuffersOfItsOwn() {
    final StrategyInstance small =
        open(new PoolSettings(2, Zeroing.NECESSARY_ONLY, 5000), space, 1);
    final FakeCore few = new FakeCore(small, space);
    few.map(0, read(0, 4096));
    few.map(0, read(0, 4096));
    assertThat(few.sizeClass(4096).untouched()).isZero();
    assertThat(few.map(0, read(0, 4096)).bounced()).isFalse();
    final Live own = few.map(0, must(0x10, 16));
    assertThat(own.bounced()).isTrue();
    assertThat(few.sizeClass(0).inFlight()).isOne();
    few.live().forEach(few::unmap);
    few.tick(5);
    few.tick(5005);
    few.tick(10_005);
    assertThat(few.pages()).isZero();
    small.close();
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void deniedPagesAreRemappedOrRefused() {
    core.deny(true);
    assertThat(core.map(0, read(0, 4096)).bounced()).isFalse();
    assertThat(core.map(0, must(1, 1))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(core.sizeClass(4096).empty()).as("one slot, twice").isOne();
    core.deny(false);
    assertThat(core.map(0, must(1, 1)).bounced()).as("nothing sticks").isTrue();
    assertThat(core.sizeClass(4096).empty()).isZero();
  }

  @Test
  void mapsOfAStripeMayWaitAtTheSameTime() {
    final MapRequest request = read(0, 4096);
    final Waiting one = core.begin(0, request);
    final Waiting two = core.begin(0, request);
    final Waiting three = core.begin(0, request);
    assertThat(core.finish(two, false).bounced()).isFalse();
    assertThat(core.finish(three, true).run()).isEqualTo(three.iova());
    assertThat(core.finish(one, true).run()).isEqualTo(one.iova());
    assertThat(core.map(0, request).run()).isEqualTo(two.iova());
  }

  /** An idle buffer that turned up meanwhile is left alone: what was made is used. */
  @Test
  void whatWasMadeForAMapIsUsedForIt() {
    final Live live = core.map(0, read(0, 4096));
    final Waiting waiting = core.begin(0, read(0, 4096));
    core.unmap(live);
    assertThat(core.finish(waiting, true).run()).isEqualTo(waiting.iova());
    assertThat(core.sizeClass(4096).cachedWrite()).isOne();
  }

  /** The cached buffers of ChromeOS went by size only. */
  @Test
  void buffersOfTheirOwnAreReusedBySizeAndPermission() {
    final MapRequest write = must(0, 600 * KIB);
    final Live one = core.map(0, write);
    core.unmap(one);
    assertThat(core.sizeClass(0).cachedWrite()).isOne();
    final MapRequest both = FakeCore.request(0, 600 * KIB, DmaDirection.BIDIRECTIONAL);
    both.mustBounce = true;
    assertThat(core.map(0, both).run()).isNotEqualTo(one.run());
    final MapRequest privileged = must(0, 600 * KIB);
    privileged.attributes = DmaAttributes.PRIVILEGED;
    assertThat(core.map(0, privileged).run()).isNotEqualTo(one.run());
    assertThat(core.map(0, must(0, 604 * KIB)).run()).isNotEqualTo(one.run());
    final int maps = core.maps;
    assertThat(core.map(0, must(0x20, 600 * KIB - 0x20)).run()).isEqualTo(one.run());
    assertThat(core.maps).isEqualTo(maps);
    assertThat(core.sizeClass(0).hits()).isOne();
  }

  /** Inserting one queued no eviction there; into an empty chain, one that was old stayed old. */
  @Test
  void buffersOfTheirOwnGoAfterOneToTwoPeriods() {
    final MapRequest request = must(0, 600 * KIB);
    core.tick(0);
    core.unmap(core.map(0, request));
    core.tick(5000); // old
    core.tick(9990);
    core.unmap(core.map(0, request)); // young again, alone in its chain
    core.tick(10_000);
    assertThat(core.sizeClass(0).slots()).as("not one period idle").isOne();
    core.tick(15_000);
    assertThat(core.sizeClass(0).slots()).isZero();
    assertThat(core.sizeClass(0).evictions()).isOne();
    assertThat(space.leasedRanges()).as("the slots only").isLessThanOrEqualTo(1);
  }

  /** Its teardown left young ones behind. */
  @Test
  void closeLeavesNoAddressesLeased() {
    core.unmap(core.map(0, must(0, 600 * KIB)));
    core.unmap(core.map(1, must(0, 4096)));
    while (core.retract(0)) {
      assertThat(core.sizeClass(0).slots()).isLessThanOrEqualTo(1);
    }
    assertThat(core.pages()).isZero();
    pool.close();
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void mapThatNeverCameBackLosesNoAddresses() {
    core.begin(0, must(0, 600 * KIB));
    core.begin(0, must(0, 4096));
    pool.close();
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void idleBufferLivesOneToTwoPeriods() {
    core.tick(0);
    core.tickTo(4990);
    core.unmap(core.map(0, read(0, 4096))); // right before a mark
    core.tickTo(9990);
    assertThat(core.pages()).isOne();
    core.tickTo(10_000);
    assertThat(core.pages()).as("idle since 4990").isZero();
    core.unmap(core.map(0, read(0, 4096))); // right behind one
    core.tickTo(19_990);
    assertThat(core.pages()).isOne();
    core.tickTo(20_000);
    assertThat(core.pages()).as("idle since 10000").isZero();
    assertThat(core.sizeClass(4096).evictions()).isEqualTo(2);
    assertThat(core.sizeClass(4096).empty()).as("one slot, twice").isOne();
  }

  @Test
  void whatIsUsedInEachPeriodStays() {
    core.tick(0);
    final MapRequest request = read(0, 4096);
    core.unmap(core.map(0, request));
    for (int i = 0; i < 20; i++) {
      core.tickTo(core.now + 4900);
      core.unmap(core.map(0, request));
    }
    assertThat(core.maps).isOne();
    assertThat(core.unmaps).isZero();
  }

  @Test
  void workingSetStaysAndTheRestGoes() {
    core.tick(0);
    final List<Live> burst = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      burst.add(core.map(0, read(0, 4096)));
    }
    burst.forEach(core::unmap);
    for (long now = 1000; now <= 20_000; now += 1000) {
      core.tick(now);
      final List<Live> few = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        few.add(core.map(0, read(0, 4096)));
      }
      few.forEach(core::unmap);
    }
    assertThat(core.pages()).isEqualTo(10);
    assertThat(core.maps).isEqualTo(100);
  }

  @Test
  void shortMemoryTakesAllThatIsIdle() {
    core.tick(0);
    final Live kept = core.map(0, read(0, 4096));
    core.unmap(core.map(0, read(0, 8192)));
    core.unmap(core.map(1, read(0, 4096)));
    core.unmap(core.map(1, must(0, 600 * KIB)));
    core.tick(10);
    assertThat(core.pages()).isEqualTo(1 + 2 + 1 + 150);
    core.shrink();
    assertThat(core.pages()).as("not before the tick").isEqualTo(154);
    core.tick(20);
    assertThat(core.pages()).isOne();
    core.unmap(kept);
    core.tick(30);
    assertThat(core.pages()).as("once").isOne();
  }

  /** In the series the list was walked on from the slot that had just been taken out of it. */
  @Test
  void failedUnmapsInTheMiddleLoseNoOther() {
    core.tick(0);
    final List<Live> all = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      all.add(core.map(0, read(0, 4096)));
    }
    all.forEach(core::unmap);
    core.slow(true);
    core.tick(5000);
    final int[] seen = new int[1];
    core.evicted = held -> core.failUnmaps(seen[0]++ % 3 == 1);
    core.slow(false);
    core.tick(10_000);
    core.evicted = held -> {};
    core.failUnmaps(false);
    assertThat(core.sizeClass(4096).leaked()).isEqualTo(3);
    assertThat(core.sizeClass(4096).empty()).isEqualTo(6);
    final List<Long> leaked = new ArrayList<>();
    for (final Live live : all) {
      leaked.add(live.run());
    }
    for (int i = 0; i < 100; i++) {
      final Live live = core.map(0, read(0, 4096));
      assertThat(live.bounced()).isTrue();
      leaked.remove(live.run());
    }
    assertThat(leaked).as("never named again").hasSize(3);
    core.live().forEach(core::unmap);
    core.tick(15_000);
    core.tick(20_000);
    assertThat(core.pages()).as("those that are lost").isEqualTo(3);
    pool.close();
    assertThat(space.leasedRanges()).as("not leased to another").isOne();
  }

  @Test
  void atMostHalfOfWhatTheDeviceReaches() {
    final MapRequest request = masked(read(0, 4096), (1L << 30) - 1);
    final Live live = core.map(0, request);
    assertThat(live.bounced()).isTrue();
    final long half = ((1L << 30) - 0x10_0000) / 2;
    assertThat(core.sizeClass(4096).slots()).isEqualTo(half / (255 * 4096));
    assertThat(space.leasedBytes()).isLessThanOrEqualTo(half);
  }

  @Test
  void halvedUntilItFits() {
    final FakeSpace holes = new FakeSpace(0x10_0000, 0xffff_ffffL);
    for (int gib = 0; gib < 4; gib++) { // in each GiB something is taken
      holes.forced = IovaSpace.NONE;
      assertThat(holes.lease(0, 256L << 20, (1L + gib) << 30)).isPositive();
    }
    final StrategyInstance some = open(PoolSettings.DEFAULTS, holes, 1);
    final FakeCore few = new FakeCore(some, holes);
    assertThat(few.map(0, read(0, 4096)).bounced()).isTrue();
    assertThat(few.sizeClass(4096).slots()).isEqualTo(512);
  }

  @Test
  void withoutRoomThePoolRemaps() {
    final FakeSpace tiny = new FakeSpace(0x10_0000, 0x10_0000 + (256 << 12) - 1);
    final StrategyInstance none = open(PoolSettings.DEFAULTS, tiny, 1);
    final FakeCore few = new FakeCore(none, tiny);
    assertThat(few.map(0, read(0, 4096)).bounced()).isFalse();
    assertThat(few.map(0, must(3, 9)).bounced()).as("by a buffer of its own").isTrue();
    few.tick(0);
    assertThat(none.classes().getFirst().slots()).isZero();
  }

  @Test
  void deviceOfASmallerMaskGetsALowerRange() {
    final Live high = core.map(0, read(0, 4096));
    assertThat(high.run()).isGreaterThan(0xffff_ffffL);
    final Live low = core.map(0, masked(read(0, 4096), 0xffff_ffffL));
    assertThat(low.bounced()).isTrue();
    core.unmap(low);
    core.unmap(high);
    assertThat(core.map(0, masked(read(0, 4096), 0xffff_ffffL)).run()).isEqualTo(low.run());
    assertThat(core.map(0, read(0, 4096)).run())
        .as("the first that it reaches")
        .isEqualTo(high.run());
    final Live lower = core.map(1, masked(read(0, 4096), (1L << 28) - 1));
    assertThat(lower.bounced()).isTrue();
    assertThat(space.leasedRanges()).isEqualTo(3);
    assertThat(core.sizeClass(4096).slots()).isEqualTo(1024 + 1024 + 128);
    core.live().forEach(core::unmap);
    pool.close();
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void deviceThatReachesNothingIsRefused() {
    core.map(0, read(0, 4096));
    assertThat(core.map(0, masked(read(0, 4096), 0xf_ffff))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.MASK);
    assertThat(core.map(0, masked(must(0, 4096), 0xf_ffff))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.MASK);
  }

  @Test
  void ownBufferOutOfReachIsNotReused() {
    final Live high = core.map(0, must(0, 600 * KIB));
    core.unmap(high);
    final Live low = core.map(0, masked(must(0, 600 * KIB), 0xffff_ffffL));
    assertThat(low.run()).isLessThan(0xffff_ffffL);
    assertThat(core.map(0, must(0, 600 * KIB)).run()).isEqualTo(high.run());
  }

  @Test
  void alignmentAndBoundary() {
    final MapRequest wide = read(0x1_3000, 4096);
    wide.minAlignMask = 0xffff;
    wide.unconstrained = false;
    assertThat(core.map(0, wide).bytes()).isEqualTo(64 * KIB); // the core checks the bits
    final MapRequest padded = read(0, 4096);
    padded.allocAlignMask = 0x3fff;
    padded.unconstrained = false;
    assertThat(core.map(0, padded).bytes()).isEqualTo(16 * KIB);
    final MapRequest list = read(0x1_3080, 9000);
    list.entries = 3;
    list.minAlignMask = 0xfff;
    list.unconstrained = false;
    final Live live = core.map(0, list);
    assertThat(live.bus() - live.run()).isEqualTo(0x80);
    final MapRequest bounded = read(0xf00, 0x200);
    bounded.boundaryMask = 0xfff;
    bounded.unconstrained = false;
    assertThat(core.map(0, bounded).bounced()).as("not within a page").isFalse();
    bounded.boundaryMask = 0x1fff;
    assertThat(core.map(0, bounded).bounced()).isTrue();
    bounded.boundaryMask = 0xfff;
    bounded.mustBounce = true;
    assertThat(core.map(0, bounded)).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FRAGMENTED);
  }

  @Test
  void zeroingIsAsConfigured() {
    for (final Zeroing zeroing : Zeroing.values()) {
      final StrategyInstance one = open(new PoolSettings(8, zeroing, 5000), space, 1);
      final FakeCore its = new FakeCore(one, space);
      final int policy =
          switch (zeroing) {
            case NECESSARY_ONLY -> IovaSpace.ZERO_NOTHING;
            case TAIL_ON_REUSE -> IovaSpace.ZERO_REST;
            case ALWAYS -> IovaSpace.ZERO_USED;
          };
      for (int i = 0; i < 2; i++) { // new, and again
        final Live slot = its.map(0, read(0, 4096));
        assertThat(slot.zeroing()).isEqualTo(policy);
        its.unmap(slot);
        final Live own = its.map(0, must(0, 600 * KIB));
        assertThat(own.zeroing()).isEqualTo(policy);
        its.unmap(own);
      }
      assertThat(its.maps).isEqualTo(2);
    }
  }

  @Test
  void wrongCallsAreToldAndChangeNothing() {
    final Live live = core.map(0, read(0, 4096));
    core.map(1, read(0, 4096));
    assertThatIllegalStateException().isThrownBy(() -> pool.release(1, live.run(), live.bytes()));
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.release(0, live.run() + 2048, live.bytes()));
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.release(0, live.run() + 4096, live.bytes()));
    assertThatIllegalStateException().isThrownBy(() -> pool.disposed(0, live.held().extent, true));
    assertThatIllegalStateException().isThrownBy(() -> pool.retract(0, live.held().extent));
    core.check();
    core.unmap(live);
    assertThatIllegalStateException()
        .as("twice")
        .isThrownBy(() -> pool.release(0, live.run(), live.bytes()));
    core.check();
  }
}
