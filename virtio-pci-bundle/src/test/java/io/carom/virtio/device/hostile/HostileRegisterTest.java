package io.carom.virtio.device.hostile;

import static io.carom.virtio.device.hostile.Rig.SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.SplitRing;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.TestRing;
import io.carom.virtio.testkit.VirtioCapability;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Registers written in wrong order, with wrong values or widths, at wrong places. */
class HostileRegisterTest {
  private static final int ALL = 0x0f;

  static Stream<RingLayout> layouts() {
    return Rig.layouts();
  }

  // ---- H16: queue sizes

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 100, 257, 512, 1024, 2048, 32768, 65535})
  void h16BadSizeOfASplitQueueKeepsTheOldOne(final int size) {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    assertThat(rig.driver.negotiate(0)).isTrue();
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, 128);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, size);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_SIZE, 2)).isEqualTo(128);
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 257, 1024, 32768, 65535})
  void h16k1SizeOfAPackedQueue(final int size) {
    // any size up to the largest is legal, such as 100 and 3; others keep the old one
    final Rig rig = Rig.reset(RingLayout.PACKED, new Rig.Setup(VirtioFeatures.IN_ORDER));
    assertThat(rig.driver.negotiate(rig.features())).isTrue();
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, 100);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_SIZE, 2)).isEqualTo(100);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, size);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_SIZE, 2)).isEqualTo(100);
    rig.start(3);
    for (int i = 0; i < 7; i++) {
      rig.assertServes();
    }
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void r7issue301EventIndexIsForgottenByAReset(final RingLayout layout) {
    final Rig rig = Rig.started(layout, VirtioFeatures.EVENT_IDX);
    for (int i = 0; i < 5; i++) {
      rig.assertServes();
    }
    rig.start();
    rig.ring().notifyAfter(1);
    final int before = rig.bus.messages().size();
    rig.assertServes();
    assertThat(rig.bus.messages()).hasSize(before + 1);
    rig.assertServes();
    assertThat(rig.bus.messages()).hasSize(before + 1);
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void cve2026x5747SizeAndAddressesAreFixedWhileTheQueueIsEnabled(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    final TestRing ring = rig.ring();
    for (final int field :
        new int[] {
          CommonCfgDescriptor.QUEUE_DESC,
          CommonCfgDescriptor.QUEUE_DRIVER,
          CommonCfgDescriptor.QUEUE_DEVICE
        }) {
      rig.driver.set64(field, 0x300000);
    }
    for (final int size : new int[] {0, 2, 64, 32768}) {
      rig.driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, size);
      assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_SIZE, 2)).isEqualTo(SIZE);
    }
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_DESC, 4)).isEqualTo(ring.desc());
    rig.assertServes();
    rig.assertNeighbourServes();
    rig.close();
  }

  // ---- H17, H18: ring addresses

  private record BadRing(String name, RingLayout layout, long desc, long driver, long device) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> badRings() {
    final long end = TestBus.RAM_BYTES;
    final long registers = new TestBus(4096, 0).registersBase();
    return Rig.layouts()
        .flatMap(
            layout ->
                Stream.of(
                        new BadRing("H17 descriptor area at 8", layout, 0x10008, 0x12000, 0x14000),
                        new BadRing("H17 driver area at 1", layout, 0x10000, 0x12001, 0x14000),
                        new BadRing("H17 device area at 2", layout, 0x10000, 0x12000, 0x14002),
                        new BadRing("H18 all areas at 0", layout, 0, 0, 0),
                        new BadRing("H18 at 2^64-4096", layout, -4096, 0x12000, 0x14000),
                        new BadRing("H18 driver area at 2^64-4", layout, 0x10000, -4, 0x14000),
                        new BadRing("H18 device area at 2^64-4", layout, 0x10000, 0x12000, -4),
                        new BadRing("H18 descriptors outside", layout, end, 0x12000, 0x14000),
                        new BadRing("H18 driver area outside", layout, 0x10000, end, 0x14000),
                        new BadRing("H18 device area outside", layout, 0x10000, 0x12000, end),
                        new BadRing(
                            "H18 descriptors straddle the end", layout, end - 64, 0x12000, 0x14000),
                        new BadRing(
                            "H30 device area in own registers",
                            layout,
                            0x10000,
                            0x12000,
                            registers),
                        new BadRing(
                            "H30 descriptors in own registers",
                            layout,
                            registers,
                            0x12000,
                            0x14000))
                    .map(row -> Arguments.of(layout, row)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("badRings")
  void h17h18BadRingBreaksTheDeviceAtEnable(final RingLayout layout, final BadRing row) {
    final Rig rig = Rig.reset(layout, new Rig.Setup(0));
    assertThat(rig.driver.negotiate(rig.features())).isTrue();
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set64(CommonCfgDescriptor.QUEUE_DESC, row.desc);
    rig.driver.set64(CommonCfgDescriptor.QUEUE_DRIVER, row.driver);
    rig.driver.set64(CommonCfgDescriptor.QUEUE_DEVICE, row.device);
    rig.driver.enable(0);
    assertThat(rig.driver.needsReset()).isTrue();
    assertThat(rig.function.info().lastError()).startsWith("queue 0: the ");
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isZero();
    // before DRIVER_OK there is no configuration notification, after it nothing is served
    assertThat(rig.bus.messages()).isEmpty();
    rig.driver.ready();
    rig.driver.run();
    assertThat(rig.driver.needsReset()).isTrue();
    assertThat(rig.bus.openSections()).isZero();
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  // ---- H19: selectors

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 0x7fff, 0x8000, 0xffff})
  void h19QueueThatDoesNotExistHasSizeZero(final int queue) {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    final TestDriver driver = rig.driver;
    driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, queue);
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_SELECT, 2)).isEqualTo(queue);
    driver.set(CommonCfgDescriptor.QUEUE_SIZE, 2, 16);
    driver.set64(CommonCfgDescriptor.QUEUE_DESC, 0x10000);
    driver.set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, 1);
    driver.set(CommonCfgDescriptor.QUEUE_ENABLE, 2, 1);
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_SIZE, 2)).isZero();
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isZero();
    assertThat(driver.get(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2))
        .isEqualTo(CommonCfgDescriptor.NO_VECTOR);
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 0x7ff, 0x800, 0xfffe, 0xffff})
  void h19VectorOutOfRangeReadsNoVector(final int vector) {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, vector);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2))
        .isEqualTo(CommonCfgDescriptor.NO_VECTOR);
    rig.driver.set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, vector);
    assertThat(rig.driver.get(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2))
        .isEqualTo(CommonCfgDescriptor.NO_VECTOR);
    final int before = rig.bus.messages().size();
    rig.assertServes();
    assertThat(rig.bus.messages()).hasSize(before);
    rig.close();
  }

  @Test
  void h19cve2011x2512DoorbellsOfQueuesThatDoNotExist() {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    final long place = rig.driver.doorbell(0);
    for (final long offset : new long[] {2, 4, 8, 0x100, 0xffc, 0xffe}) {
      rig.driver.notify(place + offset, 2, 0);
    }
    for (final long value : new long[] {1, 0x7fff, 0x8000, 0xffff}) {
      rig.driver.notify(place, 2, value);
    }
    for (final int width : new int[] {1, 8}) {
      rig.driver.notify(place, width, 0);
    }
    rig.driver.work();
    assertThat(rig.driver.needsReset()).isFalse();
    rig.assertServes();
    rig.assertNeighbourServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void n5SpuriousDoorbellsAreHarmless(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    for (int i = 0; i < 1000; i++) {
      rig.driver.run();
    }
    assertThat(rig.take()).isNull();
    assertThat(rig.bus.messages()).isEmpty();
    rig.assertServes();
    rig.close();
  }

  // ---- H20: queue_enable

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 4, 0xffff})
  void h20OtherValuesOfQueueEnableAreIgnored(final int value) {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_ENABLE, 2, value);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isEqualTo(1);
    rig.assertServes();
    // and on a queue that is not enabled
    rig.driver.negotiate(0);
    rig.driver.addresses(0, rig.fresh(SIZE));
    rig.driver.set(CommonCfgDescriptor.QUEUE_ENABLE, 2, value);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isZero();
    assertThat(rig.driver.needsReset()).isFalse();
    rig.assertResetMends();
    rig.close();
  }

  // ---- S2, notify before DRIVER_OK, queue not enabled

  @ParameterizedTest
  @MethodSource("layouts")
  void s2NothingIsServedBeforeDriverOk(final RingLayout layout) {
    final Rig rig = Rig.reset(layout, new Rig.Setup(0));
    assertThat(rig.driver.negotiate(rig.features())).isTrue();
    rig.driver.enable(0, rig.fresh(SIZE));
    rig.mark();
    rig.header(BlkDescriptor.T_IN, 0);
    rig.ring().add(Rig.goodRead());
    rig.driver.run();
    rig.assertNothingMoved();
    assertThat(rig.bus.messages()).isEmpty();
    rig.driver.ready();
    rig.driver.run();
    rig.assertAnswer(BlkDescriptor.S_OK, 513);
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void queueThatIsNotEnabledIsIgnored(final RingLayout layout) {
    final Rig rig = Rig.reset(layout, new Rig.Setup(0));
    assertThat(rig.driver.negotiate(rig.features())).isTrue();
    rig.driver.addresses(0, rig.fresh(SIZE));
    rig.driver.ready();
    rig.mark();
    rig.header(BlkDescriptor.T_IN, 0);
    rig.ring().add(Rig.goodRead());
    rig.driver.run();
    rig.assertNothingMoved();
    assertThat(rig.driver.needsReset()).isFalse();
    rig.assertResetMends();
    rig.close();
  }

  // ---- H22, S4: features

  @ParameterizedTest
  @ValueSource(ints = {5, 30, 37, 41, 44, 63})
  void h22cveIssue3879UnofferedBitClearsFeaturesOk(final int bit) {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    assertThat(rig.driver.offered() & 1L << bit).isZero();
    assertThat(rig.driver.negotiate(1L << bit)).isFalse();
    assertThat(rig.driver.needsReset()).isFalse();
    // nothing may be enabled or started with them
    rig.driver.enable(0, rig.fresh(SIZE));
    rig.driver.ready();
    assertThat(rig.driver.status() & VirtioStatus.DRIVER_OK).isZero();
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 0x7fffffff, -1})
  void h22BitBeyond63ClearsFeaturesOk(final int window) {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    rig.driver.status(0);
    rig.driver.status(3);
    rig.driver.accept(VirtioFeatures.VERSION_1);
    rig.driver.set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, window);
    rig.driver.set(CommonCfgDescriptor.DRIVER_FEATURE, 4, 1);
    rig.driver.status(0x0b);
    assertThat(rig.driver.status()).isEqualTo(3);
    rig.assertResetMends();
    rig.close();
  }

  @Test
  void s7WithoutVersion1FeaturesOkIsCleared() {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    assertThat(rig.driver.negotiateExactly(0)).isFalse();
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h22FeaturesRewrittenLiveAreIgnored(final RingLayout layout) {
    final Rig rig = Rig.started(layout, VirtioFeatures.INDIRECT_DESC);
    final long accepted = rig.function.info().accepted();
    rig.driver.accept(0);
    rig.driver.status(ALL);
    assertThat(rig.function.info().accepted()).isEqualTo(accepted);
    rig.driver.accept(-1);
    rig.driver.status(ALL);
    assertThat(rig.function.info().accepted()).isEqualTo(accepted);
    rig.assertServes();
    rig.close();
  }

  // ---- H23: status

  @Test
  void h23StatusThatSkipsStepsDoesNotStart() {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    rig.driver.status(0);
    rig.driver.status(ALL); // no feature was accepted, not even VERSION_1
    assertThat(rig.driver.status() & (VirtioStatus.FEATURES_OK | VirtioStatus.DRIVER_OK)).isZero();
    rig.driver.status(0);
    rig.driver.status(VirtioStatus.DRIVER_OK);
    assertThat(rig.driver.status()).isZero();
    rig.driver.status(VirtioStatus.FEATURES_OK);
    assertThat(rig.driver.status()).isZero();
    rig.assertResetMends();
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 3, 1, 8})
  void h23BitsAreNotTakenAwayButByAReset(final int value) {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    rig.driver.status(value);
    assertThat(rig.driver.status()).isEqualTo(ALL);
    rig.assertServes();
    rig.close();
  }

  @Test
  void h23AllOnesNeitherFakesNorClearsNeedsReset() {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    rig.driver.status(0xff);
    assertThat(rig.driver.status() & VirtioStatus.NEEDS_RESET).isZero();
    rig.assertResetMends(); // FAILED was among them
    ((SplitRing) rig.ring()).availIndex(-1);
    rig.driver.run();
    assertThat(rig.driver.needsReset()).isTrue();
    for (final int value : new int[] {0x0f, 0xff, 0x8f, 1, 0xbf}) {
      rig.driver.status(value);
      assertThat(rig.driver.needsReset()).isTrue();
    }
    rig.assertResetMends();
    rig.close();
  }

  // ---- S8: queue_reset without the feature

  @ParameterizedTest
  @MethodSource("layouts")
  void s8issue1451QueueResetThatWasNotNegotiatedIsIgnored(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    for (final int value : new int[] {1, 2, 0xffff, 0}) {
      rig.driver.set(CommonCfgDescriptor.QUEUE_RESET, 2, value);
      assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_RESET, 2)).isZero();
      assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isEqualTo(1);
    }
    rig.assertServes();
    rig.close();
  }

  // ---- bus mastering

  @ParameterizedTest
  @MethodSource("layouts")
  void busMasteringOffBreaksTheDeviceAtUse(final RingLayout layout) {
    final Rig rig = Rig.started(layout, 0);
    rig.bus.busMaster(false);
    rig.header(BlkDescriptor.T_IN, 0);
    rig.ring().add(Rig.goodRead());
    rig.driver.run();
    rig.assertBroken();
    rig.assertNothingMoved();
    rig.bus.busMaster(true);
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  // ---- M3, H21, H24: read-only fields, the configuration structure, widths

  @Test
  void m3ReadOnlyFieldsIgnoreWrites() {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    final int[] fields = {
      CommonCfgDescriptor.DEVICE_FEATURE,
      CommonCfgDescriptor.NUM_QUEUES,
      CommonCfgDescriptor.CONFIG_GENERATION,
      CommonCfgDescriptor.QUEUE_NOTIFY_OFF
    };
    final int[] widths = {4, 2, 1, 2};
    for (int i = 0; i < fields.length; i++) {
      final long before = rig.driver.get(fields[i], widths[i]);
      rig.driver.set(fields[i], widths[i], ~before);
      assertThat(rig.driver.get(fields[i], widths[i])).isEqualTo(before);
    }
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void h21ConfigurationWrittenAtAnyTimeChangesNoReadOnlyField(final RingLayout layout) {
    final Rig rig = Rig.reset(layout, new Rig.Setup(0));
    final BiConsumer<Integer, Long> overwrite =
        (width, value) -> {
          for (int i = 0; i + width <= BlkDescriptor.CONFIG_SIZE + 64; i += width) {
            rig.driver.config(i, width, value);
          }
        };
    final long capacity = rig.driver.config(BlkDescriptor.CONFIG_CAPACITY, 8);
    overwrite.accept(4, -1L);
    rig.start();
    overwrite.accept(8, -1L);
    overwrite.accept(1, 0x7fL);
    assertThat(rig.driver.config(BlkDescriptor.CONFIG_CAPACITY, 8)).isEqualTo(capacity);
    assertThat(capacity).isEqualTo(Rig.SECTORS);
    rig.assertServes();
    rig.close();
  }

  @ParameterizedTest
  @EnumSource
  void h24AnyWidthAtAnyPlaceIsHarmless(final Access access) {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    for (final int width : new int[] {1, 2, 4, 8}) {
      for (int bar = 0; bar < 6; bar++) {
        for (int offset = 0; offset < 0x4000; offset += Math.max(width, 4)) {
          access.at(rig, bar, offset, width);
        }
      }
    }
    assertThat(rig.bus.openSections()).isZero();
    rig.assertNeighbourServes();
    rig.assertResetMends();
    rig.close();
  }

  /** What is done to each place. */
  enum Access {
    READ,
    ONES,
    ZEROS;

    private void at(final Rig rig, final int bar, final int offset, final int width) {
      switch (this) {
        case READ -> rig.function.read(bar, offset, width);
        case ONES -> rig.function.write(bar, offset, width, -1);
        case ZEROS -> rig.function.write(bar, offset, width, 0);
      }
    }
  }

  // ---- C3, C4: what there is

  @Test
  void c3c4TypesAreThoseOfTheSpecification() {
    final Rig rig = Rig.reset(RingLayout.SPLIT, new Rig.Setup(0));
    assertThat(rig.driver.capabilities())
        .extracting(VirtioCapability::type)
        .containsExactlyInAnyOrder(
            VirtioPciCapDescriptor.TYPE_COMMON,
            VirtioPciCapDescriptor.TYPE_NOTIFY,
            VirtioPciCapDescriptor.TYPE_ISR,
            VirtioPciCapDescriptor.TYPE_DEVICE,
            VirtioPciCapDescriptor.TYPE_PCI_CFG);
    rig.close();
  }

  // ---- H25: the window

  @Test
  void h25NoWindowReachesOutsideTheStructures() {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    final var window = rig.driver.window();
    for (final long length : new long[] {0, 3, 5, 8, 0x80000000L, 0xffffffffL}) {
      for (final int bar : new int[] {0, 1, 2, 3, 4, 5, 6, 7, 255}) {
        for (final long offset : new long[] {0, 1, 2, 0x14, 0x3ffc, 0xffffffffL, 0x80000000L}) {
          window.aim(bar, offset, length);
          final int stored = window.stored();
          assertThat((int) window.load()).isEqualTo(stored);
          window.store(0);
        }
      }
    }
    assertThat(rig.driver.status()).isEqualTo(ALL);
    rig.assertServes();
    // a good one works
    window.aim(
        rig.driver.capability(VirtioPciCapDescriptor.TYPE_COMMON).bar(),
        CommonCfgDescriptor.DEVICE_STATUS,
        1);
    assertThat(window.load() & 0xff).isEqualTo(ALL);
    rig.close();
  }

  // ---- interrupts that the driver asks for

  @Test
  void r7usedEventOneInterruptsAtTheSecondOnly() {
    final Rig rig = Rig.started(RingLayout.SPLIT, VirtioFeatures.EVENT_IDX);
    ((SplitRing) rig.ring()).usedEvent(1);
    for (int i = 0; i < 3; i++) {
      final int before = rig.bus.messages().size();
      rig.assertServes();
      assertThat(rig.bus.messages().size() - before).as("request %d", i).isEqualTo(i == 1 ? 1 : 0);
    }
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0xfffe, 0xffff})
  void r7availFlagsOtherThanBitZeroAreIgnored(final int flags) {
    final Rig rig = Rig.started(RingLayout.SPLIT, 0);
    ((SplitRing) rig.ring()).availFlags(flags);
    rig.assertServes();
    assertThat(rig.bus.messages()).hasSize((flags & 1) == 0 ? 1 : 0);
    rig.close();
  }
}
