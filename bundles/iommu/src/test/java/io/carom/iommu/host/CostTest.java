package io.carom.iommu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.host.cost.BusyClock;
import io.carom.iommu.host.cost.CostProfiles;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the model charges. */
class CostTest {
  private static final CostProfile PRIMES =
      CostProfiles.custom(100_000, 10_007, 11, 20_011, 13, 307);
  private static final IommuSettings COSTLY = IommuSettings.DEFAULTS.withProfile(PRIMES);

  @Test
  void everyThingHasItsPrice() {
    final Rig rig = new Rig(COSTLY);
    assertThat(rig.attach(1, Rig.EP_A)).isZero();
    assertThat(rig.clock.now()).isEqualTo(100_000 + 307);
    rig.map(1, 0, 5 * 4096, 0);
    assertThat(rig.clock.now()).isEqualTo(200_307 + 10_007 + (5 * 11));
    rig.map(1, 0, 4096, 0); // refused
    assertThat(rig.clock.now()).isEqualTo(310_369 + 10_007);
    rig.unmap(1, 0, 5 * 4096);
    assertThat(rig.clock.now()).isEqualTo(420_376 + 20_011 + (5 * 13) + 307);
    rig.unmap(1, 0, 5 * 4096); // of nothing: no invalidation
    assertThat(rig.clock.now()).isEqualTo(540_759 + 20_011);
    rig.status(Rig.mapBytes(1, 0, 4095, 1L << 40, 5)); // registers are not pinned
    assertThat(rig.clock.now()).isEqualTo(660_770 + 10_007);
    assertThat(rig.view.chargedNs()).isEqualTo(rig.clock.now());
    assertThat(rig.view.counters()).isEqualTo(new IommuCounters(1, 0, 3, 2, 0, 1, 6, 2, 0, 5));
  }

  @Test
  void aBatchIsOneKickAndIsPaidAtItsEnd() {
    final Rig rig = new Rig(COSTLY);
    rig.requests.batchBegins();
    rig.attach(1, Rig.EP_A);
    for (int i = 0; i < 10; i++) {
      rig.map(1, i * 4096L, 4096, 0);
    }
    assertThat(rig.clock.now()).isZero();
    rig.requests.batchEnds();
    assertThat(rig.clock.now()).isEqualTo(100_000 + 307 + (10 * 10_018));
    assertThat(rig.view.counters().kicks()).isEqualTo(1);
    rig.requests.batchBegins(); // for nothing, as at the driver's start: no kick
    rig.requests.batchEnds();
    rig.requests.batchEnds(); // without a begin: nothing
    assertThat(rig.clock.now()).isEqualTo(100_000 + 307 + (10 * 10_018));
  }

  @Test
  void twoRunsTakeTheSameTime() {
    final long first = run();
    assertThat(run()).isEqualTo(first).isPositive();
  }

  private static long run() {
    final Random random = new Random(7);
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withProfile(CostProfiles.of("typical")));
    rig.attach(1, Rig.EP_A);
    for (int i = 0; i < 2_000; i++) {
      rig.requests.batchBegins();
      for (int n = random.nextInt(5); n >= 0; n--) {
        final long start = random.nextInt(64) * 4096L;
        final long bytes = (1 + random.nextInt(8)) * 4096L;
        if (random.nextBoolean()) {
          rig.map(1, start, bytes, start);
        } else {
          rig.unmap(1, start, bytes);
        }
      }
      rig.requests.batchEnds();
    }
    return rig.clock.now();
  }

  @Test
  void costsChangeLiveButNotTheAperture() {
    final Rig rig = new Rig();
    rig.attach(1, Rig.EP_A);
    assertThat(rig.clock.now()).isZero();
    rig.iommu.profile(PRIMES);
    rig.map(1, 0, 4096, 0);
    assertThat(rig.clock.now()).isEqualTo(110_018);
    assertThat(rig.view.profile()).isEqualTo(PRIMES);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> rig.iommu.profile(CostProfiles.of("s390")))
        .withMessage("profile=s390 has another input range; make a new IOMMU");
  }

  @Test
  void realTimeKeepsTheCallerBusyForAtLeastThatLong() {
    final long begin = System.nanoTime();
    new BusyClock().charge(3_000_000);
    assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(3_000_000);
    new BusyClock().charge(0);
  }

  /** The fit that the profile claims: 13 us, and 2.8 us for each further page, per UNMAP. */
  @ParameterizedTest
  @CsvSource({"1, 13000", "4, 21400", "16, 55000", "32, 99800"})
  void seriesIsCalibratedToThePublishedUnmapTimes(final int pages, final long ns) {
    final Rig rig = new Rig(IommuSettings.DEFAULTS.withProfile(CostProfiles.of("series")));
    rig.attach(1, Rig.EP_A);
    rig.map(1, 0, pages * 4096L, 0);
    final long before = rig.clock.now();
    rig.unmap(1, 0, pages * 4096L);
    assertThat(rig.clock.now() - before).isEqualTo(ns);
    assertThat(rig.view.profile().calibrated()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "low", "typical", "high", "s390"})
  void noOtherProfileIsCalledCalibrated(final String name) {
    assertThat(CostProfiles.of(name).calibrated()).isFalse();
    assertThat(CostProfiles.of(name).name()).isEqualTo(name);
  }

  @Test
  void unknownProfilesAndFiguresOutOfRangeAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CostProfiles.of("medium"))
        .withMessage(
            "profile=medium is unknown; valid: none, low, typical, high, series, s390, custom");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CostProfiles.custom(0, 0, -1, 0, 0, 0))
        .withMessage("mapPageNs=-1 is not in 0..1000000");
  }
}
