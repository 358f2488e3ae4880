package io.carom.iommu.pool.slots;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.fake.FakeCore;
import io.carom.iommu.pool.fake.FakeSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stripes at the same time: what they share gives each slot and address to one of them. */
class StripesTest {
  private static final int STRIPES = 4;
  private static final int SLOTS = 500; // fewer than are wanted, and no multiple of a chunk
  private static final int STEPS = 20_000;

  private final FakeSpace space = new FakeSpace(0x10_0000, 0xff_ffff_ffffL);
  private final Map<Long, Integer> owners = new ConcurrentHashMap<>();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void eachSlotHasOneOwner(final long given) throws Exception {
    final long seed = Long.getLong("carom.seed", given);
    final StrategyInstance pool =
        new PoolStrategy(
                new PoolSettings(SLOTS, Zeroing.NECESSARY_ONLY, 5000), new BounceLimit(16_384))
            .open(new PoolSpec(null, ExtentKind.IOVA, 0, STRIPES, 0, 0, false, space));
    try (ExecutorService threads = Executors.newFixedThreadPool(STRIPES)) {
      final List<Callable<Void>> stripes = new ArrayList<>();
      for (int i = 0; i < STRIPES; i++) {
        final int stripe = i;
        stripes.add(
            () -> {
              use(pool, stripe, new SplittableRandom(seed + stripe), seed);
              return null;
            });
      }
      for (final Future<Void> done : threads.invokeAll(stripes)) {
        done.get();
      }
    }
    for (final IovaClass c : pool.classes()) {
      assertThat(c.cachedRead() + c.cachedWrite() + c.cachedReadWrite() + c.untouched())
          .as("seed %d: %s", seed, c)
          .isEqualTo(c.slots());
    }
    assertThat(pool.classes().getFirst().untouched())
        .as("seed " + seed + ": left of a stripe's last chunk")
        .isLessThan(STRIPES * 16);
  }

  private void use(
      final StrategyInstance pool,
      final int stripe,
      final SplittableRandom random,
      final long seed) {
    final Placement answer = new Placement();
    final List<long[]> live = new ArrayList<>();
    int ids = 0;
    for (int step = 0; step < STEPS; step++) {
      if (live.size() < 400 && random.nextInt(100) < 55) {
        final MapRequest request =
            FakeCore.request(0, 1L << random.nextInt(15), DmaDirection.TO_DEVICE);
        request.mustBounce = random.nextInt(10) == 0;
        answer.clear();
        pool.allocate(stripe, request, answer);
        if (answer.kind() == Placement.NEED_EXTENT) {
          final Extent extent =
              new Extent(++ids, ExtentKind.IOVA, answer.iova(), answer.neededBytes());
          pool.grantNeeded(stripe, extent);
          answer.clear();
          pool.allocate(stripe, request, answer);
          assertThat(answer.kind()).as("seed " + seed).isEqualTo(Placement.BOUNCE);
        }
        if (answer.kind() == Placement.REMAP) {
          space.giveBack(stripe, answer.iova(), request.ioBytes);
        } else {
          assertThat(answer.kind()).as("seed " + seed).isEqualTo(Placement.BOUNCE);
          assertThat(owners.put(answer.runAddress(), stripe)).as("seed " + seed).isNull();
          live.add(new long[] {answer.runAddress(), answer.runBytes()});
        }
      } else if (!live.isEmpty()) {
        end(pool, stripe, live.remove(random.nextInt(live.size())), seed);
      }
    }
    for (final long[] run : live) {
      end(pool, stripe, run, seed);
    }
  }

  private void end(
      final StrategyInstance pool, final int stripe, final long[] run, final long seed) {
    assertThat(owners.remove(run[0])).as("seed " + seed).isEqualTo(stripe);
    assertThat(pool.release(stripe, run[0], run[1])).isFalse();
  }
}
