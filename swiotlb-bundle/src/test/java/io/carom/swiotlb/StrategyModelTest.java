package io.carom.swiotlb;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.swiotlb.dmb.DmbScheme;
import io.carom.swiotlb.dmb.DmbSettings;
import io.carom.swiotlb.dmb.DmbStrategy;
import io.carom.swiotlb.dynamic.DynamicSettings;
import io.carom.swiotlb.dynamic.DynamicStrategy;
import io.carom.swiotlb.fake.FakeCore;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
import io.carom.swiotlb.growing.GrowingSettings;
import io.carom.swiotlb.growing.GrowingStrategy;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random maps, unmaps, ticks and losses of extents on each strategy; {@link FakeCore} checks each
 * step. In the end nothing is left but what the pool begins with.
 */
class StrategyModelTest {
  private static final long MEMORY = 24L << 20;
  private static final int STEPS = 6_000;
  private static final long[] MASKS = {0, 0, 0x1ff, 0xfff, 0xffff};
  private static final long[] GRANULES = {0, 0, 0, 0xfff, 0xffff};
  private static final long[] BOUNDARIES = {-1, -1, 0xffff_ffffL, 0x3ffff, 0xffff, 0x7fff};

  static Stream<Arguments> strategies() {
    return Stream.of(
            fixed(Fitting.NEXT),
            fixed(Fitting.FIRST),
            fixed(Fitting.LIFO),
            new DynamicStrategy(new DynamicSettings(1024, 2, Fitting.AUTO)),
            new DynamicStrategy(new DynamicSettings(0, 4, Fitting.LIFO)),
            dmb(DmbScheme.PLAIN),
            dmb(DmbScheme.SHARED),
            growing(1 << 20, 100, false),
            growing(1 << 20, 60, true),
            growing(300_000, 90, true))
        .flatMap(s -> Stream.of(1L, 2L, 3L).map(seed -> Arguments.of(s, seed)));
  }

  private static DmaStrategy fixed(final Fitting fitting) {
    return new FixedStrategy(new FixedSettings(2048, 2, fitting));
  }

  private static DmaStrategy dmb(final DmbScheme scheme) {
    return new DmbStrategy(new DmbSettings(scheme, 2048, 2, 25));
  }

  private static DmaStrategy growing(final long bytes, final int percent, final boolean active) {
    return new GrowingStrategy(
        new GrowingSettings(1024, 2, Fitting.AUTO, bytes, 8192, 50, percent, active));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void keepsToTheRules(final DmaStrategy strategy, final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final StrategyInstance pool = strategy.open(new PoolSpec(null, ExtentKind.RAM, MEMORY, 2));
    final FakeCore core = new FakeCore(pool, MEMORY).fill();
    final long beginning = core.plannedBytes();
    int step = 0;
    try {
      final SplittableRandom random = new SplittableRandom(seed);
      long now = 0;
      int bias = 50;
      for (; step < STEPS; step++) {
        if (step % 500 == 0) {
          bias = random.nextInt(30, 75); // tides: the pool fills and empties
        }
        final int what = random.nextInt(1000);
        if (what < 15) {
          now += random.nextInt(1, 40);
          core.tick(now);
        } else if (what < 18) {
          core.retract(random.nextInt(100));
        } else if (what < 22) {
          core.stingy(random.nextBoolean());
        } else if (random.nextInt(100) < bias || core.live().isEmpty()) {
          core.map(random.nextInt(pool.stripes()), request(random));
        } else {
          final List<Long> live = core.live();
          core.unmap(live.get(random.nextInt(live.size())));
        }
      }
      core.live().forEach(core::unmap);
      for (int i = 0; i < 400; i++) {
        now += 20;
        core.tick(now);
      }
    } catch (final AssertionError | RuntimeException e) {
      throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
    }
    assertThat(core.heldBytes()).as("seed " + seed).isEqualTo(beginning);
    assertThat(pool.usedSlots()).isZero();
    assertThat(pool.largestFreeRun()).isEqualTo(256 << 10);
  }

  private static MapRequest request(final SplittableRandom random) {
    final MapRequest request = new MapRequest();
    request.address = random.nextLong(1 << 30);
    request.size = 1L + random.nextInt(random.nextInt(6) == 0 ? 270_000 : 20_000);
    request.device = random.nextInt(100);
    request.attributes = random.nextInt(3) == 0 ? 0 : DmaAttributes.queue(random.nextInt(5));
    request.dmaMask = -1;
    request.minAlignMask = MASKS[random.nextInt(MASKS.length)];
    request.allocAlignMask = GRANULES[random.nextInt(GRANULES.length)];
    request.boundaryMask = BOUNDARIES[random.nextInt(BOUNDARIES.length)];
    return request;
  }
}
