package io.carom.swiotlb.recycling;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
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
 * Random maps, unmaps, ticks, retractions and shortages: the driver checks each placement; counts
 * add up, the ceiling holds, the throttle's answers are those of its marks, and idle buffers go.
 */
class RecyclingModelTest {
  private static final long CEILING = 2048;
  private static final int STEPS = 6_000;

  private boolean throttled;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void randomUse(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final RecyclingPool pool =
        new RecyclingPool(
            new PoolSpec("dev", ExtentKind.RAM, 1L << 30, 2),
            new RecyclingSettings(
                CEILING,
                2,
                random.nextBoolean() ? SizeClasses.CC : SizeClasses.SLOTS,
                200,
                70,
                65));
    final SpiDriver driver = new SpiDriver(pool, ExtentKind.RAM, 0x1000_0000, 16 << 20).fill();
    long now = 0;
    for (int step = 0; step < STEPS; step++) {
      final int dice = random.nextInt(1000);
      try {
        if (dice < (step / 1000 % 2 == 0 ? 540 : 440)) {
          map(random, driver);
        } else if (dice < 960) {
          final List<Run> live = driver.live();
          if (!live.isEmpty()) {
            driver.unmap(live.get(random.nextInt(live.size())));
          }
        } else if (dice < 990) {
          now += random.nextInt(60);
          driver.tick(now);
        } else if (dice < 997) {
          driver.retractOne(random.nextInt(20));
        } else {
          driver.deny(random.nextInt(3) == 0);
        }
        driver.checkCounts();
        assertThat(driver.grantedBytes() >> 11).as("ceiling").isLessThanOrEqualTo(CEILING);
      } catch (final AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
      }
    }
    driver.live().forEach(driver::unmap);
    for (int i = 0; i < 100; i++) {
      driver.tick(now += 10);
    }
    assertThat(driver.grantedBytes()).as("seed " + seed + ": idle").isZero();
    driver.deny(false);
    driver.request.minAlignMask = 0;
    driver.request.allocAlignMask = 0;
    driver.request.boundaryMask = -1;
    driver.request.attributes = 0;
    while (driver.map(0, 0, 4096) != null) {
      assertThat(driver.grantedBytes() >> 11).isLessThanOrEqualTo(CEILING);
    }
    assertThat(driver.usedSlots()).as("seed " + seed + ": no reservation lost").isEqualTo(CEILING);
  }

  private void map(final SplittableRandom random, final SpiDriver driver) {
    driver.request.minAlignMask = random.nextInt(5) == 0 ? 0xfff : 0;
    driver.request.allocAlignMask = random.nextInt(8) == 0 ? 0xffff : 0;
    driver.request.boundaryMask = random.nextInt(8) == 0 ? 0xffff : -1L;
    final boolean maySleep = random.nextInt(3) == 0;
    driver.request.attributes = maySleep ? DmaAttributes.MAY_SLEEP : 0;
    final long size = 1L + random.nextInt(random.nextInt(10) == 0 ? 60_000 : 9_000);
    final long used = driver.usedSlots();
    final Run run = driver.map(random.nextInt(2), random.nextInt(1 << 20), size);
    if (maySleep) {
      throttled = throttled ? used * 100 >= CEILING * 65 : used * 100 > CEILING * 70;
      if (throttled) {
        assertThat(run).as("above the mark").isNull();
        assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
      }
    } else if (run == null) {
      assertThat(driver.refusal()).isIn(Refusal.FULL, Refusal.FRAGMENTED);
    }
  }
}
