package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.EchoRig;
import io.carom.virtio.device.kit.FakeBus;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureRulesTest {
  private static final int NEGOTIATED = Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK;

  private static VirtioFunctionBuilder builder() {
    return new VirtioFunctionBuilder("disk0", Disks.memory(false, 1))
        .workers(WorkerOptions.manual())
        .errors(Disks.quiet());
  }

  private static Driver drive(final VirtioFunctionBuilder builder) {
    return new Driver(builder.build(), new FakeBus(0));
  }

  @ParameterizedTest
  @ValueSource(ints = {33, 36, 38, 39, 40, 43, 28, 29})
  @DisplayName("S4 D: each feature of transport and ring is offered unless it is hidden")
  void s4_offeredUnlessHidden(final int bit) {
    assertThat(drive(builder()).offered() >>> bit & 1).isEqualTo(1);
    final Driver hidden = drive(builder().hide(1L << bit));
    assertThat(hidden.offered() >>> bit & 1).isZero();
    assertThat(hidden.negotiate(1L << bit)).as("what is not offered is refused").isFalse();
    assertThat(hidden.status()).isEqualTo(Driver.ACK_DRIVER);
    assertThat(hidden.negotiate(0)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {24, 25, 26, 30, 31, 37, 41, 42, 44, 45, 46, 47, 48, 49})
  @DisplayName("S4 F3 D: legacy and reserved bits, SR_IOV and ADMIN_VQ are never offered")
  void s4f3_neverOffered(final int bit) {
    assertThat(drive(builder()).offered() >>> bit & 1).isZero();
    final VirtioFunctionBuilder builder = builder().offer(1L << bit);
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(VirtioFeatures.name(VirtioIds.TYPE_BLOCK, bit))
        .hasMessageContaining("must not be offered");
  }

  @Test
  @DisplayName("S7 D: VERSION_1 cannot be hidden")
  void s7_versionOneIsOffered() {
    final VirtioFunctionBuilder builder = builder().hide(VirtioFeatures.VERSION_1);
    assertThatThrownBy(builder::build).hasMessageContaining("VERSION_1");
  }

  @Test
  @DisplayName("S4 D: a feature is not offered without what it needs")
  void s4_dependencyOfTheOffer() {
    assertThat(FeatureDependencies.missing(VirtioIds.TYPE_BLOCK, VirtioFeatures.BLK_CONFIG_WCE))
        .isEqualTo("CONFIG_WCE needs FLUSH, which is not in the set");
    assertThat(
            FeatureDependencies.missing(
                VirtioIds.TYPE_BLOCK, VirtioFeatures.BLK_CONFIG_WCE | VirtioFeatures.BLK_FLUSH))
        .isNull();
    final long[][] net = {
      {7, 1}, {8, 1}, {9, 7}, {9, 8}, {10, 1}, {11, 0}, {12, 0}, {13, 11}, {13, 12}, {14, 0},
      {18, 17}, {19, 17}, {21, 17}, {22, 17}, {23, 17}, {53, 17}, {60, 17}, {61, 11}, {61, 12}
    };
    for (final long[] need : net) {
      final long feature = 1L << need[0];
      assertThat(FeatureDependencies.missing(VirtioIds.TYPE_NET, feature))
          .startsWith(VirtioFeatures.name(VirtioIds.TYPE_NET, (int) need[0]) + " needs ");
      final String both = FeatureDependencies.missing(VirtioIds.TYPE_NET, feature | 1L << need[1]);
      // what is needed may need something itself
      assertThat(both == null || !both.startsWith(VirtioFeatures.name(1, (int) need[0]) + " "))
          .isTrue();
      assertThat(FeatureDependencies.missing(VirtioIds.TYPE_ENTROPY, feature)).isNull();
    }
    final VirtioFunctionBuilder bad = builder().offer(VirtioFeatures.BLK_CONFIG_WCE);
    assertThat(drive(bad).offered() & VirtioFeatures.BLK_FLUSH).isNotZero();
  }

  @Test
  @DisplayName("S4 D: a driver that accepts a feature without what it needs is refused")
  void s4_dependencyOfTheDriver() {
    final Driver driver = drive(builder().offer(VirtioFeatures.BLK_CONFIG_WCE));
    assertThat(driver.negotiate(VirtioFeatures.BLK_CONFIG_WCE)).isFalse();
    assertThat(driver.function.info().lastError()).contains("CONFIG_WCE needs FLUSH");
    assertThat(driver.negotiate(VirtioFeatures.BLK_CONFIG_WCE | VirtioFeatures.BLK_FLUSH)).isTrue();
  }

  @Test
  @DisplayName("S4 D: a set that was accepted once is accepted again after a reset")
  void s4_acceptedAgain() {
    final Driver driver = drive(builder());
    final long all = driver.offered();
    for (int i = 0; i < 3; i++) {
      assertThat(driver.negotiate(all)).isTrue();
      assertThat(driver.function.info().accepted()).isEqualTo(all);
    }
  }

  @Test
  @DisplayName("F1 D: what a driver does without ACCESS_PLATFORM is not translated, with it it is")
  void f1_accessPlatform() {
    final EchoRig rig = new EchoRig(WorkerOptions.manual());
    rig.driver.negotiate(VirtioFeatures.ACCESS_PLATFORM);
    assertThat(rig.bus.translated).as("as it was plugged").isEmpty();
    rig.driver.negotiate(0);
    assertThat(rig.bus.translated).containsExactly(false);
    rig.driver.status(0);
    assertThat(rig.bus.translated).containsExactly(false, true);
  }

  @Test
  @DisplayName("F2 D: ORDER_PLATFORM may be accepted or not, and the device works alike")
  void f2_orderPlatform() {
    for (final long features : new long[] {0, VirtioFeatures.ORDER_PLATFORM}) {
      final EchoRig rig = new EchoRig(WorkerOptions.manual()).start(features);
      final byte[] expected = rig.offer(0, 0);
      rig.driver.kick(0);
      assertThat(rig.answer(0, 0)).isEqualTo(expected);
    }
  }

  @Test
  @DisplayName("S1 S3 D: NEEDS_RESET stays, whatever but a reset a driver writes (3.2)")
  void s1s3_needsResetIsNeverDropped() {
    final EchoRig rig = new EchoRig(WorkerOptions.manual());
    rig.bus.msix = true;
    rig.start(VirtioFeatures.SUSPEND);
    rig.model.context().needsReset("a test");
    assertThat(rig.bus.messages).as("S3: and the driver is told").containsExactly(0);
    for (final int status : new int[] {0x0f, 0x07, 1, 0x4f, 0x1f, 0xbf, 0x80}) {
      rig.driver.status(status);
      assertThat(rig.driver.status() & VirtioStatus.NEEDS_RESET).isNotZero();
    }
    rig.driver.status(0);
    assertThat(rig.driver.status()).isZero();
  }

  @Test
  @DisplayName("H23 S5 D: jumps of the status are ignored (3.2)")
  void h23_statusJumps() {
    final Driver driver = Disks.drive(SwiotlbPolicy.NONE);
    driver.status(VirtioStatus.DRIVER_OK);
    assertThat(driver.status()).isZero();
    driver.status(VirtioStatus.FEATURES_OK);
    assertThat(driver.status()).isZero();
    driver.status(VirtioStatus.ACKNOWLEDGE | VirtioStatus.FEATURES_OK);
    assertThat(driver.status()).isEqualTo(VirtioStatus.ACKNOWLEDGE);
    driver.status(Driver.ACK_DRIVER);
    driver.accept(VirtioFeatures.VERSION_1);
    driver.status(Driver.ACK_DRIVER | VirtioStatus.DRIVER_OK);
    assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER);
    driver.status(NEGOTIATED);
    assertThat(driver.status()).isEqualTo(NEGOTIATED);
    driver.status(0xff & ~VirtioStatus.FAILED & ~VirtioStatus.DRIVER_OK);
    assertThat(driver.status()).as("NEEDS_RESET and SUSPEND are not its").isEqualTo(NEGOTIATED);
    driver.status(VirtioStatus.FAILED);
    assertThat(driver.status()).isEqualTo(NEGOTIATED | VirtioStatus.FAILED);
  }
}
