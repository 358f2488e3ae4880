package io.carom.swiotlb.magazine;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.kit.SpiDriver;
import io.carom.swiotlb.kit.SpiDriver.Run;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random maps, unmaps, ticks and retractions: every placement is checked by the driver, the counts
 * add up after each step, and a plain request is refused only if no free run could serve it.
 */
class MagazineModelTest {
  private static final long BASE = 0x1000_0000;
  private static final int STEPS = 6_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void randomUse(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final boolean region = random.nextBoolean();
    final PoolSpec spec =
        new PoolSpec(
            region ? "dev" : null, region ? ExtentKind.DEVICE : ExtentKind.RAM, 8L << 20, 2);
    final MagazinePool pool =
        new MagazinePool(
            spec, new MagazineSettings(4096, 2, random.nextBoolean() ? 0 : 1024, 256, 500));
    final SpiDriver driver =
        new SpiDriver(pool, region ? ExtentKind.DEVICE : ExtentKind.RAM, BASE, 8L << 20).fill();
    long now = 0;
    for (int step = 0; step < STEPS; step++) {
      final int dice = random.nextInt(1000);
      final int pressure = step / 1000 % 2 == 0 ? 540 : 440;
      try {
        if (dice < pressure) {
          map(random, pool, driver);
        } else if (dice < 970) {
          final List<Run> live = driver.live();
          if (!live.isEmpty()) {
            driver.unmap(live.get(random.nextInt(live.size())));
          }
        } else if (dice < 995) {
          now += random.nextInt(200);
          driver.tick(now);
        } else if (dice < 998) {
          driver.retractOne(random.nextInt(8));
        } else {
          driver.deny(random.nextBoolean());
        }
        driver.checkCounts();
      } catch (final AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
      }
    }
    driver.live().forEach(driver::unmap);
    for (int i = 0; i < 200; i++) {
      driver.tick(now += 10);
    }
    driver.checkCounts();
    assertThat(driver.usedSlots()).isZero();
    assertThat(driver.grantedBytes())
        .as("seed " + seed + ": what an idle pool keeps")
        .isLessThanOrEqualTo(2 * pool.plan().extentBytes() + (1 << 20));
  }

  private static void map(
      final SplittableRandom random, final MagazinePool pool, final SpiDriver driver) {
    driver.request.minAlignMask = random.nextInt(5) == 0 ? 0xfff : 0;
    driver.request.allocAlignMask = random.nextInt(8) == 0 ? 0xffff : 0;
    driver.request.boundaryMask = random.nextInt(8) == 0 ? 0xffff : -1L;
    final long size =
        1L
            + random.nextInt(
                random.nextInt(10) == 0 ? 600_000 : random.nextBoolean() ? 4096 : 70_000);
    final int stripe = random.nextInt(2);
    final Run run = driver.map(stripe, random.nextInt(1 << 20), size);
    final boolean plain =
        driver.request.minAlignMask == 0
            && driver.request.allocAlignMask == 0
            && driver.request.boundaryMask < 0;
    if (run != null || !plain) {
      return;
    }
    if (size > pool.plan().extentBytes()) {
      assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
    } else {
      final int slots = (int) ((size + 2047) >> 11);
      assertThat(driver.refusal()).isIn(Refusal.FULL, Refusal.FRAGMENTED);
      assertThat(driver.wouldFit(stripe, slots, size >= 4096 ? 4095 : 2047)).isFalse();
    }
  }
}
