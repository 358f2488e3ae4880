package io.carom.swiotlb.lent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.kit.SpiDriver;
import io.carom.swiotlb.kit.SpiDriver.Run;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the lending pool promises. */
class LentPoolTest {
  private static final long BASE = 0x1000_0000;
  private static final long MIB = 1L << 20;
  private static final int TOTAL = 2048; // slots: 4 MiB

  private final LentPool pool = pool(1, 10, 75);
  private final SpiDriver driver = new SpiDriver(pool, ExtentKind.RAM, BASE, 64 * MIB).fill();

  private static LentPool pool(final int areas, final int low, final int lend) {
    return new LentPool(
        new PoolSpec(null, ExtentKind.RAM, 1L << 30, 4), new LentSettings(TOTAL, areas, low, lend));
  }

  private Run map(final long size) {
    return Objects.requireNonNull(driver.map(0, 0, size));
  }

  private long lendAll(final long bytes) {
    long slots = 0;
    for (Run run = driver.lend(0, bytes); run != null; run = driver.lend(0, bytes)) {
      slots += run.slots();
    }
    return slots;
  }

  @Test
  void poolIsOneRange() {
    assertThat(driver.extents()).isEqualTo(1);
    assertThat(driver.grantedBytes()).isEqualTo(4 * MIB);
    assertThat(pool.stripes()).isEqualTo(1);
    final LentPool four = pool(4, 10, 75);
    assertThat(new SpiDriver(four, ExtentKind.RAM, BASE, 64 * MIB).fill().extents()).isEqualTo(4);
    assertThat(four.stripes()).isEqualTo(4);
  }

  @Test
  void mappingsBeginAtTheLowerEndAndLentPagesAtTheUpper() {
    assertThat(map(4096).address()).isEqualTo(BASE);
    assertThat(Objects.requireNonNull(driver.lend(0, 4096)).address())
        .isEqualTo(BASE + 4 * MIB - 4096);
    assertThat(Objects.requireNonNull(driver.lend(0, 65_536)).address())
        .isEqualTo(BASE + 4 * MIB - 4096 - 65_536);
    driver.checkCounts();
  }

  @Test
  void lentPartIsCapped() {
    assertThat(lendAll(4096)).as("three quarters of 2048").isEqualTo(1536);
    final Run back = driver.lent().getFirst();
    driver.giveBack(back);
    assertThat(driver.lend(0, 4096)).isNotNull();
    assertThat(driver.lend(0, 4096)).isNull();
    assertThat(pool.usedSlots()).as("lent is not used").isZero();
  }

  @Test
  void nothingIsLentThatWouldBeWantedBackSoon() {
    for (int i = 0; i < 800; i++) {
      map(4096);
    }
    assertThat(lendAll(4096)).as("448 free, 410 stay").isEqualTo(38);
    assertThat(pool.wantedBack(0)).isZero();
  }

  @Test
  void oddSizesAreNotLent() {
    assertThat(pool.lend(0, 4095)).isEqualTo(-1);
    assertThat(pool.lend(0, 0)).isEqualTo(-1);
    assertThat(pool.lend(0, Extent.SET_SIZE + 4096)).isEqualTo(-1);
    assertThat(driver.lend(0, Extent.SET_SIZE)).isNotNull();
  }

  @Test
  void belowTheLowMarkPagesAreWantedBackUpToTwiceTheMark() {
    lendAll(4096); // 1536, and 512 are free
    for (int i = 0; i < 153; i++) {
      map(4096);
    }
    assertThat(pool.wantedBack(0)).as("206 free, the mark is 205").isZero();
    map(4096);
    assertThat(pool.wantedBack(0)).as("204 of 410").isEqualTo(206L << 11);
    assertThat(driver.lend(0, 4096)).as("while it is wanted back").isNull();
    while (pool.wantedBack(0) > 0) {
      driver.giveBack(driver.lent().getFirst());
    }
    assertThat(driver.lent()).hasSize(768 - 103);
    assertThat(pool.wantedBack(0)).isZero();
    driver.checkCounts();
  }

  @Test
  void fullPoolWithLentPagesThrottlesWhoMaySleep() {
    lendAll(4096);
    for (int i = 0; i < 256; i++) {
      map(4096);
    }
    assertThat(driver.map(0, 0, 4096)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.FULL);
    driver.request.attributes = DmaAttributes.MAY_SLEEP;
    assertThat(driver.map(0, 0, 4096)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.THROTTLED);
    assertThat(pool.wantedBack(0)).isEqualTo(410L << 11);
    driver.giveBack(driver.lent().getFirst());
    assertThat(driver.map(0, 0, 4096)).isNotNull();
    driver.lent().forEach(driver::giveBack);
    assertThat(pool.wantedBack(0)).as("nothing is lent").isZero();
    while (driver.map(0, 0, 4096) != null) {
      assertThat(driver.usedSlots()).isLessThanOrEqualTo(TOTAL);
    }
    assertThat(driver.refusal()).as("nothing to wait for").isEqualTo(Refusal.FULL);
  }

  @Test
  void requestThatFoundNoRunWantsItsSizeBack() {
    lendAll(4096);
    for (int i = 0; i < 256; i++) {
      map(4096);
    }
    for (int i = 0; i < 256; i += 2) {
      driver.unmap(driver.live().get(i / 2)); // every other page
    }
    assertThat(pool.wantedBack(0)).as("256 free, the mark is 205").isZero();
    assertThat(driver.map(0, 0, 8192)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.FRAGMENTED);
    assertThat(pool.wantedBack(0)).isEqualTo(8192);
    driver.giveBack(driver.lent().getLast());
    driver.giveBack(driver.lent().getLast());
    assertThat(pool.wantedBack(0)).isZero();
    assertThat(driver.map(0, 0, 8192)).isNotNull();
  }

  @Test
  void limitIsASlotSet() {
    assertThat(pool.maxMappingSize(0)).isEqualTo(262_144);
    assertThat(pool.maxMappingSize(0xfff)).isEqualTo(258_048);
    map(262_144);
    assertThat(driver.map(0, 0, 262_145)).isNull();
    assertThat(driver.refusal()).isEqualTo(Refusal.TOO_BIG);
  }

  @Test
  void sizes() {
    final PoolSpec ram = new PoolSpec(null, ExtentKind.RAM, 128 * MIB, 2);
    assertThat(new LentPool(ram, LentSettings.DEFAULTS).plan().wantedBytes()).isEqualTo(32 * MIB);
    assertThat(new LentPool(ram, LentSettings.DEFAULTS).plan().extentBytes()).isEqualTo(32 * MIB);
    final PoolSpec given = new PoolSpec(null, ExtentKind.RAM, 128 * MIB, 2, 8192, 4, true);
    assertThat(new LentPool(given, LentSettings.DEFAULTS).plan().wantedBytes()).isEqualTo(16 * MIB);
    assertThat(new LentPool(given, LentSettings.DEFAULTS).stripes()).isEqualTo(4);
    final PoolSpec region = new PoolSpec("dev", ExtentKind.DEVICE, 3 * MIB, 2);
    assertThat(new LentPool(region, LentSettings.DEFAULTS).plan().extentBytes()).isEqualTo(3 * MIB);
  }

  @Test
  void settingsOutOfRangeNameValueRuleAndProperty() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LentSettings(0, 1, 10, 81))
        .withMessage("lendPercent=81 is not in 0..80");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LentSettings(0, 0, 10, 75))
        .withMessage("areas=0 is not in 1..1024");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void randomUse(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final LentPool own = pool(2, 5, 80);
    final SpiDriver with = new SpiDriver(own, ExtentKind.RAM, BASE, 64 * MIB).fill();
    for (int step = 0; step < 6_000; step++) {
      try {
        step(random, own, with, step / 1000 % 2 == 0 ? 45 : 30);
        with.checkCounts();
        final long lent = with.lent().stream().mapToLong(Run::slots).sum();
        assertThat(lent).isLessThanOrEqualTo(TOTAL * 80 / 100);
      } catch (final AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step + ": " + e.getMessage(), e);
      }
    }
    with.live().forEach(with::unmap);
    with.lent().forEach(with::giveBack);
    assertThat(own.largestFreeRun()).as("seed " + seed).isEqualTo(Extent.SET_SIZE);
    assertThat(with.map(0, 0, 262_144)).isNotNull();
    with.live().forEach(with::unmap);
    assertThat(with.retractOne(0)).isTrue();
    with.checkCounts();
  }

  private static void step(
      final SplittableRandom random, final LentPool own, final SpiDriver with, final int maps) {
    final int dice = random.nextInt(100);
    final int stripe = random.nextInt(2);
    if (dice < maps) {
      with.request.minAlignMask = random.nextInt(5) == 0 ? 0xfff : 0;
      with.request.allocAlignMask = random.nextInt(8) == 0 ? 0xffff : 0;
      with.request.boundaryMask = random.nextInt(8) == 0 ? 0xffff : -1L;
      with.request.attributes = random.nextBoolean() ? DmaAttributes.MAY_SLEEP : 0;
      final boolean lends = with.lent().stream().anyMatch(r -> r.stripe() == stripe);
      final Run run = with.map(stripe, random.nextInt(1 << 20), 1L + random.nextInt(40_000));
      if (run == null) {
        assertThat(with.refusal() == Refusal.THROTTLED)
            .isEqualTo(lends && with.request.attributes != 0);
      }
    } else if (dice < 75 && !with.live().isEmpty()) {
      with.unmap(with.live().get(random.nextInt(with.live().size())));
    } else if (dice < 90) {
      with.lend(stripe, 4096L * (1 + random.nextInt(random.nextInt(10) == 0 ? 64 : 8)));
    } else {
      final long wanted = own.wantedBack(stripe);
      long back = 0;
      for (final Run run : with.lent()) {
        if (run.stripe() == stripe && (back < wanted || random.nextInt(20) == 0)) {
          with.giveBack(run);
          back += run.bytes();
        }
      }
      assertThat(back).as("wanted %d", wanted).isGreaterThanOrEqualTo(wanted);
      if (back >= wanted) {
        own.wantedBack(stripe);
      }
    }
  }
}
