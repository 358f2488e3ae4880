package io.carom.iommu.pool.remap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.FlushPlan;
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
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Strict and lazy: what is leased, what is bounced, and that all of it comes back. */
class RemapPoolTest {
  private final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
  private final StrategyInstance pool = open(RemapStrategy.strict());
  private final FakeCore core = new FakeCore(pool, space);

  private StrategyInstance open(final RemapStrategy strategy) {
    return strategy.open(new PoolSpec(null, ExtentKind.IOVA, 0, 2, 0, 0, false, space));
  }

  private static MapRequest must(final long address, final long size) {
    final MapRequest request = FakeCore.request(address, size, DmaDirection.TO_DEVICE);
    request.mustBounce = true;
    return request;
  }

  @Test
  void strictFlushesAtOnceAndLazyPutsItOff() {
    final MapRequest request = FakeCore.request(0x12_3456, 5000, DmaDirection.FROM_DEVICE);
    final Live strict = core.map(0, request);
    assertThat(strict.bounced()).isFalse();
    assertThat(strict.bytes()).isEqualTo(8192);
    assertThat(strict.deferred()).isFalse();
    final FakeCore lazy = new FakeCore(open(RemapStrategy.lazy(FlushPlan.SINGLE)), space);
    final Live deferred = lazy.map(1, request);
    assertThat(deferred.deferred()).isTrue();
    core.unmap(strict);
    lazy.unmap(deferred);
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void queueIsThePlansThatWasConfigured() {
    final RemapStrategy lazy = RemapStrategy.lazy(FlushPlan.SINGLE);
    final StrategyInstance before = open(lazy);
    lazy.plan(FlushPlan.STRIPED);
    assertThat(before.flushPlan()).isEqualTo(FlushPlan.SINGLE);
    assertThat(open(lazy).flushPlan()).isEqualTo(FlushPlan.STRIPED);
  }

  @Test
  void whatMustBounceHasABufferOfItsOwnForOneMapping() {
    final Live live = core.map(1, must(0x12_3e00, 0x400));
    assertThat(live.bounced()).isTrue();
    assertThat(live.bytes()).as("whole granules, for both").isEqualTo(8192);
    assertThat(live.bus() - live.run()).isEqualTo(0xe00);
    assertThat(core.sizeClass(0).inFlight()).isOne();
    assertThat(pool.transientSlots()).isEqualTo(4);
    core.slow(true);
    core.unmap(live);
    assertThat(core.sizeClass(0).evicting()).isOne();
    assertThat(space.leasedRanges()).as("not before it is disposed of").isOne();
    core.dispose();
    assertThat(space.leasedRanges()).isZero();
    assertThat(core.pages()).isZero();
    assertThat(core.maps).isOne();
    core.map(1, must(0x12_3e00, 0x400));
    assertThat(core.maps).as("none is kept").isEqualTo(2);
  }

  @Test
  void listIsPackedFromTheStart() {
    final MapRequest list = must(0x12_3e00, 10_000);
    list.entries = 5;
    final Live live = core.map(0, list);
    assertThat(live.bus()).isEqualTo(live.run());
    assertThat(live.bytes()).isEqualTo(12_288);
  }

  @Test
  void longLivedMappingsAreBouncedWhereTheyMustAndDevicesMemoryNever() {
    final MapRequest request = must(0x12_3e00, 0x400);
    request.attributes = DmaAttributes.PERSISTENT_STREAMING;
    assertThat(core.map(0, request).bounced()).isTrue();
    request.attributes = DmaAttributes.MMIO;
    assertThat(core.map(0, request).bounced()).isFalse();
  }

  @Test
  void refusalsSayWhy() {
    final MapRequest request = FakeCore.request(0, 1L << 41, DmaDirection.TO_DEVICE);
    assertThat(core.map(0, request)).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.TOO_BIG);
    final MapRequest low = FakeCore.request(0, 4096, DmaDirection.TO_DEVICE);
    low.dmaMask = 0xf_ffff;
    assertThat(core.map(0, low)).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.MASK);
    space.exhausted(true);
    assertThat(core.map(0, FakeCore.request(0, 4096, DmaDirection.TO_DEVICE))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(core.map(0, must(1, 8))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    space.exhausted(false);
    core.deny(true);
    assertThat(core.map(0, must(1, 8))).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FULL);
    assertThat(space.leasedRanges()).as("all is back").isZero();
    assertThat(core.sizeClass(0).slots()).isZero();
    final MapRequest bounded = must(0xff0, 0x20);
    bounded.boundaryMask = 0xfff;
    bounded.unconstrained = false;
    assertThat(core.map(0, bounded)).isNull();
    assertThat(core.refusal()).isEqualTo(Refusal.FRAGMENTED);
  }

  /** Which of two like requests was denied must not be mixed up: each has a range of its own. */
  @Test
  void twoLikeMapsWaitAndOneIsDenied() {
    final MapRequest request = must(0x100, 16);
    final Waiting one = core.begin(0, request);
    final Waiting two = core.begin(0, request);
    assertThat(one.iova()).isNotEqualTo(two.iova());
    assertThat(core.finish(one, false)).isNull();
    final Live live = core.finish(two, true);
    assertThat(live.run()).isEqualTo(two.iova());
    core.unmap(live);
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void whatCouldNotBeUnmappedIsNeverLeasedAgain() {
    final Live live = core.map(0, must(0x100, 16));
    core.failUnmaps(true);
    core.unmap(live);
    assertThat(core.sizeClass(0).leaked()).isOne();
    assertThat(space.leased(live.run(), live.bytes())).isTrue();
    core.failUnmaps(false);
    core.unmap(core.map(0, must(0x100, 16)));
    pool.close();
    assertThat(space.leasedRanges()).as("but for the leaked one").isOne();
  }

  @Test
  void leaseThatIsAlreadyInUseIsFoundOut() {
    final Live live = core.map(0, must(0x100, 0x1800));
    space.forced = live.run() + 4096;
    assertThatIllegalStateException()
        .isThrownBy(() -> core.map(1, must(0x100, 16)))
        .withMessageContaining("overlaps a buffer that is in use");
    core.unmap(live);
    assertThat(space.leasedRanges()).isZero();
  }

  @Test
  void wrongStripeOrStateIsToldAndChangesNothing() {
    final Live live = core.map(0, must(0x100, 16));
    assertThatIllegalStateException().isThrownBy(() -> pool.release(1, live.run(), live.bytes()));
    assertThatIllegalStateException().isThrownBy(() -> pool.disposed(0, live.held().extent, true));
    core.unmap(live);
    assertThatIllegalStateException().isThrownBy(() -> pool.release(0, live.run(), live.bytes()));
  }

  @Test
  void whoIsServed() {
    final RemapStrategy strategy = RemapStrategy.strict();
    assertThat(strategy.refusal(new Negotiation(false, true))).isNull();
    assertThat(strategy.refusal(Negotiation.NONE)).contains("VIRTIO_F_ACCESS_PLATFORM");
    assertThat(strategy.refusal(new Negotiation(true, true)))
        .contains("VIRTIO_F_SWIOTLB")
        .doesNotContain("\n");
    assertThat(strategy.extents()).containsExactly(ExtentKind.IOVA);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> strategy.open(new PoolSpec(null, ExtentKind.RAM, 0, 2)))
        .withMessageContaining("needs a domain");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomUseReturnsToBaseline(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final List<Waiting> waiting = new ArrayList<>();
    for (int step = 0; step < 3_000; step++) {
      try {
        final MapRequest request = must(random.nextInt(1 << 20), 1 + random.nextInt(20_000));
        request.mustBounce = random.nextInt(4) != 0;
        switch (random.nextInt(12)) {
          case 0, 1, 2, 3 -> core.map(random.nextInt(2), request);
          case 4 -> {
            final int stripe = random.nextInt(2);
            final Waiting one = core.begin(stripe, request);
            if (one == null) {
              core.answered(stripe, request);
            } else {
              waiting.add(one);
            }
          }
          case 5 -> {
            if (!waiting.isEmpty()) {
              core.finish(waiting.remove(random.nextInt(waiting.size())), random.nextBoolean());
            }
          }
          case 6 -> core.deny(random.nextInt(4) == 0);
          case 7 -> space.exhausted(random.nextInt(4) == 0);
          case 8 -> core.tick(core.now + 10);
          default -> {
            final List<Live> live = core.live();
            if (!live.isEmpty()) {
              core.unmap(live.get(random.nextInt(live.size())));
            }
          }
        }
      } catch (final AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
      }
    }
    for (final Waiting one : waiting) {
      core.finish(one, false);
    }
    core.live().forEach(core::unmap);
    assertThat(core.pages()).as("seed " + seed).isZero();
    assertThat(space.leasedRanges()).as("seed " + seed).isZero();
    assertThat(core.sizeClass(0).slots()).as("seed " + seed).isZero();
  }
}
