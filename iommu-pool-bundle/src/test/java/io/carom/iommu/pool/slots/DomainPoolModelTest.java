package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.fake.FakeCore;
import io.carom.iommu.pool.fake.FakeCore.Live;
import io.carom.iommu.pool.fake.FakeCore.Waiting;
import io.carom.iommu.pool.fake.FakeSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random maps, unmaps, waits, denials, failed unmaps, retractions, shortages and ticks. The core
 * checks each answer and all states after each step; here: what is bounced and what is not, how
 * long idle buffers live, that MAP is asked for new buffers only, and that all comes back.
 */
class DomainPoolModelTest {
  private static final int STEPS = 3_000;
  private static final long PERIOD = 5_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomUse(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
    final BounceLimit limit = new BounceLimit(64 << 10);
    final int slots = new int[] {1, 7, 40, 1024}[random.nextInt(4)];
    final StrategyInstance pool =
        new PoolStrategy(new PoolSettings(slots, Zeroing.NECESSARY_ONLY, PERIOD), limit)
            .open(
                new PoolSpec(null, ExtentKind.IOVA, 0, 1 + random.nextInt(4), 0, 0, false, space));
    final FakeCore core = new FakeCore(pool, space);
    final boolean failing = random.nextBoolean();
    final List<Waiting> waiting = new ArrayList<>();
    core.evicted = held -> core.failUnmaps(failing && random.nextInt(50) == 0);
    for (int step = 0; step < STEPS; step++) {
      try {
        step(random, core, pool, space, limit, waiting);
      } catch (final AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
      }
    }
    space.exhausted(false);
    core.evicted = held -> core.failUnmaps(false);
    for (final Waiting one : waiting) {
      core.finish(one, false);
    }
    core.live().forEach(core::unmap);
    core.tickTo(core.now + (2 * PERIOD) + 10);
    final long lost = pool.classes().stream().mapToLong(IovaClass::leaked).sum();
    if (lost == 0) {
      assertThat(core.pages()).as("seed " + seed + ": idle").isZero();
    }
    for (final IovaClass c : pool.classes()) {
      assertThat(c.untouched() + c.empty() + c.leaked()).as("seed " + seed).isEqualTo(c.slots());
    }
    pool.close();
    if (lost == 0) {
      assertThat(space.leasedRanges()).as("seed " + seed).isZero();
    }
  }

  private static void step(
      final SplittableRandom random,
      final FakeCore core,
      final StrategyInstance pool,
      final FakeSpace space,
      final BounceLimit limit,
      final List<Waiting> waiting) {
    final int stripe = random.nextInt(pool.stripes());
    final int dice = random.nextInt(1000);
    if (dice < 420) {
      map(random, core, pool, limit, stripe);
    } else if (dice < 450) {
      final MapRequest request = request(random);
      final Waiting one = core.begin(stripe, request);
      if (one == null) {
        core.answered(stripe, request);
      } else {
        waiting.add(one);
      }
    } else if (dice < 480 && !waiting.isEmpty()) {
      core.finish(waiting.remove(random.nextInt(waiting.size())), random.nextInt(4) != 0);
    } else if (dice < 900) {
      final List<Live> live = core.live();
      if (!live.isEmpty()) {
        core.unmap(live.get(random.nextInt(live.size())));
      }
    } else if (dice < 960) {
      core.tickTo(core.now + random.nextInt(1 + random.nextInt(900)));
    } else if (dice < 970) {
      core.retract(random.nextInt(30));
    } else if (dice < 980) {
      limit.set(random.nextInt(1 << random.nextInt(21)));
    } else if (dice < 983) {
      core.shrink();
    } else if (dice < 992) {
      core.deny(random.nextInt(4) == 0);
    } else {
      space.exhausted(random.nextInt(4) == 0);
    }
  }

  private static void map(
      final SplittableRandom random,
      final FakeCore core,
      final StrategyInstance pool,
      final BounceLimit limit,
      final int stripe) {
    final MapRequest request = request(random);
    final int maps = core.maps;
    final long before = made(pool);
    final Live live = core.map(stripe, request);
    assertThat(core.maps - maps).as("MAP for a new buffer only").isEqualTo(made(pool) - before);
    final boolean optional =
        request.size <= limit.bytes() && (request.attributes & ~DmaAttributes.PRIVILEGED) == 0;
    if (live != null) {
      if (request.mustBounce) {
        assertThat(live.bounced()).isTrue();
      } else if (!optional) {
        assertThat(live.bounced()).isFalse();
        assertThat(live.deferred()).isFalse();
      }
    }
  }

  private static long made(final StrategyInstance pool) {
    return pool.classes().stream().mapToLong(IovaClass::misses).sum();
  }

  private static MapRequest request(final SplittableRandom random) {
    final long size = 1L + random.nextInt(1 << (1 + random.nextInt(20)));
    final MapRequest request =
        FakeCore.request(random.nextInt(1 << 24), size, DmaDirection.values()[random.nextInt(3)]);
    request.mustBounce = random.nextInt(3) == 0;
    if (random.nextInt(8) == 0) {
      request.attributes = DmaAttributes.PRIVILEGED;
    } else if (random.nextInt(20) == 0) {
      request.attributes = DmaAttributes.PERSISTENT_STREAMING;
    }
    if (random.nextInt(6) == 0) {
      request.dmaMask = random.nextBoolean() ? 0xffff_ffffL : (1L << 30) - 1;
    }
    if (random.nextInt(6) == 0) {
      request.entries = 2 + random.nextInt(5);
    }
    if (random.nextInt(6) == 0) {
      request.minAlignMask = random.nextBoolean() ? 0xfff : 0x3fff;
      request.boundaryMask = random.nextBoolean() ? -1L : 0xffff;
      request.allocAlignMask = random.nextInt(4) == 0 ? 0x1fff : 0;
      request.unconstrained = false;
    }
    return request;
  }

  /** What ages is idle for one to two periods, to the millisecond of the virtual clock. */
  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14})
  void idleBuffersLiveOneToTwoPeriods(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
    final StrategyInstance pool =
        new PoolStrategy(
                new PoolSettings(64, Zeroing.NECESSARY_ONLY, PERIOD), new BounceLimit(8192))
            .open(new PoolSpec(null, ExtentKind.IOVA, 0, 2, 0, 0, false, space));
    final FakeCore core = new FakeCore(pool, space);
    final long[] evicted = new long[1];
    core.evicted =
        held -> {
          evicted[0]++;
          assertThat(core.now - held.idleSince).as("seed " + seed).isBetween(PERIOD, 2 * PERIOD);
        };
    for (int step = 0; step < 1_000; step++) {
      if (random.nextInt(3) != 0) {
        final int size = 1 + random.nextInt(8192);
        final MapRequest request = FakeCore.request(0, size, DmaDirection.TO_DEVICE);
        request.mustBounce = random.nextInt(30) == 0;
        request.size = request.mustBounce ? 600 << 10 : size;
        core.map(random.nextInt(2), request);
      } else {
        core.live().stream().skip(random.nextInt(3)).forEach(core::unmap);
      }
      core.tickTo(core.now + random.nextInt(random.nextInt(20) == 0 ? 4000 : 50));
    }
    assertThat(evicted[0]).as("seed " + seed + ": evictions").isGreaterThan(20);
    core.live().forEach(core::unmap);
    core.tickTo(core.now + 2 * PERIOD);
    assertThat(core.pages()).as("seed " + seed).isZero();
  }
}
