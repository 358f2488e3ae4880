package io.carom.virtio.device.transport;

import static io.carom.virtio.CommonCfgDescriptor.CONFIG_GENERATION;
import static io.carom.virtio.CommonCfgDescriptor.CONFIG_MSIX_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.DEVICE_FEATURE;
import static io.carom.virtio.CommonCfgDescriptor.DEVICE_FEATURE_SELECT;
import static io.carom.virtio.CommonCfgDescriptor.DEVICE_STATUS;
import static io.carom.virtio.CommonCfgDescriptor.DRIVER_FEATURE;
import static io.carom.virtio.CommonCfgDescriptor.DRIVER_FEATURE_SELECT;
import static io.carom.virtio.CommonCfgDescriptor.NO_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.NUM_QUEUES;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DESC;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DEVICE;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DRIVER;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_ENABLE;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_MSIX_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_NOTIFY_OFF;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_SELECT;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_SIZE;
import static io.carom.virtio.CommonCfgDescriptor.SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommonConfigTest {
  private static final long RING = 0x10000;
  private static final int NEGOTIATED = Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK;

  private final Driver driver =
      Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 2), WorkerOptions.manual());

  private DriverQueue ring() {
    return new DriverQueue(driver.bus, 64, RING);
  }

  @Test
  void defaultsAfterReset() {
    driver.start(0, ring());
    driver.status(0);
    assertThat(driver.status()).isZero();
    assertThat(driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    assertThat(driver.get(NUM_QUEUES, 2)).isEqualTo(2);
    assertThat(driver.get(QUEUE_SELECT, 2)).isZero();
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(Disks.QUEUE_SIZE);
    assertThat(driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
    assertThat(driver.get(QUEUE_DESC, 8)).isZero();
    assertThat(driver.get(DRIVER_FEATURE, 4)).isZero();
  }

  @Test
  void m1FieldsBeyondTheStructureAndReadOnlyOnesIgnoreWrites() {
    for (final int field : new int[] {DEVICE_FEATURE, NUM_QUEUES, QUEUE_NOTIFY_OFF, SIZE}) {
      final long before = driver.get(field, 2);
      driver.set(field, 2, ~before);
      assertThat(driver.get(field, 2)).isEqualTo(before);
    }
    final long generation = driver.get(CONFIG_GENERATION, 1);
    driver.set(CONFIG_GENERATION, 1, generation + 1);
    assertThat(driver.get(CONFIG_GENERATION, 1)).isEqualTo(generation);
  }

  @Test
  void everyFeatureSelectCanBeStoredAndThoseBeyond1ShowNothing() {
    for (final long select : new long[] {2, 3, 17, 0x8000_0000L, 0xffff_ffffL}) {
      driver.set(DEVICE_FEATURE_SELECT, 4, select);
      assertThat(driver.get(DEVICE_FEATURE_SELECT, 4)).isEqualTo(select);
      assertThat(driver.get(DEVICE_FEATURE, 4)).isZero();
      driver.set(DRIVER_FEATURE_SELECT, 4, select);
      assertThat(driver.get(DRIVER_FEATURE_SELECT, 4)).isEqualTo(select);
    }
    assertThat(driver.offered())
        .isEqualTo(
            VirtioFeatures.VERSION_1
                | VirtioFeatures.ACCESS_PLATFORM
                | VirtioFeatures.INDIRECT_DESC
                | VirtioFeatures.EVENT_IDX
                | VirtioFeatures.RING_PACKED
                | VirtioFeatures.IN_ORDER
                | VirtioFeatures.ORDER_PLATFORM
                | VirtioFeatures.NOTIFICATION_DATA
                | VirtioFeatures.NOTIF_CONFIG_DATA
                | VirtioFeatures.RING_RESET
                | VirtioFeatures.SUSPEND
                | 0x6e54 // what a block device offers, as other VMMs do
                | VirtioFeatures.BLK_MQ);
  }

  @Test
  void p5PartsAndHalvesOfFieldsAreIndependent() {
    driver.set(QUEUE_DESC + 4, 4, 0x01020304);
    driver.set(QUEUE_DESC, 4, 0x05060708);
    assertThat(driver.get(QUEUE_DESC, 8)).isEqualTo(0x0102030405060708L);
    driver.set(QUEUE_DESC + 2, 2, 0xaabb);
    driver.set(QUEUE_DESC + 1, 1, 0xcc);
    assertThat(driver.get(QUEUE_DESC, 8)).isEqualTo(0x01020304aabbcc08L);
    assertThat(driver.get(QUEUE_DESC + 2, 1)).isEqualTo(0xbb);
    driver.set(QUEUE_DRIVER, 8, 0x1122334455667788L);
    assertThat(driver.get(QUEUE_DRIVER, 4)).isEqualTo(0x55667788L);
    assertThat(driver.get(QUEUE_DRIVER + 4, 4)).isEqualTo(0x11223344L);
    // two 16-bit fields in one access
    driver.set(CONFIG_MSIX_VECTOR, 4, 0x0007_0001);
    assertThat(driver.get(CONFIG_MSIX_VECTOR, 4)).isEqualTo(0x0002_0001);
  }

  @Test
  void queueSelectOutOfRangeShowsAQueueOfSize0() {
    driver.set(QUEUE_SELECT, 2, 2);
    assertThat(driver.get(QUEUE_SIZE, 2)).isZero();
    driver.set(QUEUE_SIZE, 2, 16);
    driver.set(QUEUE_DESC, 4, 0x1000);
    driver.set(QUEUE_MSIX_VECTOR, 2, 0);
    driver.set(QUEUE_ENABLE, 2, 1);
    assertThat(driver.get(QUEUE_SIZE, 2)).isZero();
    assertThat(driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
    driver.set(QUEUE_SELECT, 2, 0xffff);
    assertThat(driver.get(QUEUE_SIZE, 2)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 100, 255, 257, 512, 1024, 2048, 32768, 65535})
  void h16IllegalQueueSizeKeepsTheOldOne(final int size) {
    driver.negotiate(0);
    driver.set(QUEUE_SIZE, 2, size);
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(Disks.QUEUE_SIZE);
    driver.set(QUEUE_SIZE, 2, 8);
    driver.set(QUEUE_SIZE, 2, size);
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 257, 512, 65535})
  void k1IllegalSizeOfAPackedQueueKeepsTheOldOne(final int size) {
    driver.negotiate(VirtioFeatures.RING_PACKED);
    driver.set(QUEUE_SIZE, 2, 100);
    driver.set(QUEUE_SIZE, 2, size);
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(100);
  }

  /** Before FEATURES_OK nobody knows the layout; then it is looked at when the queue is enabled. */
  @Test
  void h16SizeThatTheNegotiatedLayoutCannotHaveNeedsAReset() {
    driver.set(QUEUE_SIZE, 2, 100);
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(100);
    driver.negotiate(0); // begins with a reset
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(Disks.QUEUE_SIZE);

    driver.status(0);
    driver.status(Driver.ACK_DRIVER);
    driver.set(QUEUE_SIZE, 2, 100);
    driver.accept(VirtioFeatures.VERSION_1);
    driver.status(Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK);
    driver.set(QUEUE_DESC, 4, 0x10000);
    driver.set(QUEUE_DRIVER, 4, 0x14000);
    driver.set(QUEUE_DEVICE, 4, 0x18000);
    driver.set(QUEUE_ENABLE, 2, 1);
    assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.function.info().lastError())
        .isEqualTo("queue 0: a split queue cannot have 100 entries");
  }

  @Test
  void i4VectorsOutOfTheTableReadNoVector() {
    driver.set(CONFIG_MSIX_VECTOR, 2, 2);
    assertThat(driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(2);
    for (final int vector : new int[] {3, 0x7ff, 0xfffe, 0xffff}) {
      driver.set(CONFIG_MSIX_VECTOR, 2, vector);
      assertThat(driver.get(CONFIG_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
      driver.set(QUEUE_MSIX_VECTOR, 2, vector);
      assertThat(driver.get(QUEUE_MSIX_VECTOR, 2)).isEqualTo(NO_VECTOR);
    }
  }

  @Test
  void h21FieldsOfAnEnabledQueueDoNotChange() {
    driver.start(0, ring());
    driver.set(QUEUE_SIZE, 2, 16);
    driver.set(QUEUE_DESC, 4, 0x9000);
    driver.set(QUEUE_DRIVER, 4, 0x9000);
    driver.set(QUEUE_DEVICE, 4, 0x9000);
    driver.set(QUEUE_ENABLE, 2, 0);
    driver.set(QUEUE_ENABLE, 2, 2);
    assertThat(driver.get(QUEUE_SIZE, 2)).isEqualTo(64);
    assertThat(driver.get(QUEUE_DESC, 8)).isEqualTo(ring().desc);
    assertThat(driver.get(QUEUE_DRIVER, 8)).isEqualTo(ring().avail);
    assertThat(driver.get(QUEUE_DEVICE, 8)).isEqualTo(ring().used);
    assertThat(driver.get(QUEUE_ENABLE, 2)).isEqualTo(1);
    assertThat(driver.needsReset()).isFalse();
  }

  @Test
  void h20OnlyOneEnablesAQueue() {
    driver.negotiate(0);
    driver.addresses(0, ring());
    for (final int value : new int[] {0, 2, 4, 0x101, 0xffff}) {
      driver.set(QUEUE_ENABLE, 2, value);
      assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
    }
    assertThat(driver.needsReset()).isFalse();
  }

  @Test
  void queueIsNotEnabledBeforeFeaturesOk() {
    driver.status(VirtioStatus.ACKNOWLEDGE);
    driver.enable(0, ring());
    assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0x10008, 0, -4096, 0x3ffff0, 0xffff_ffff_ffff_fff0L, 0x7fff_ffff_ffff_fff0L})
  void h17H18BadDescriptorAreaNeedsReset(final long desc) {
    badAreas(new DriverQueue(driver.bus, 64, desc, RING, RING + 0x4000));
  }

  @ParameterizedTest
  @ValueSource(longs = {0x10001, 0, -2, 0x3ffffe, 0x400000})
  void h17H18BadDriverAreaNeedsReset(final long avail) {
    badAreas(new DriverQueue(driver.bus, 64, RING, avail, RING + 0x4000));
  }

  @ParameterizedTest
  @ValueSource(longs = {0x10002, 0, -4, 0x3ffffc, 0x400000})
  void h17H18BadDeviceAreaNeedsReset(final long used) {
    badAreas(new DriverQueue(driver.bus, 64, RING, RING + 0x4000, used));
  }

  private void badAreas(final DriverQueue queue) {
    assertThat(driver.negotiate(0)).isTrue();
    driver.enable(0, queue);
    assertThat(driver.needsReset()).isTrue();
    assertThat(driver.get(QUEUE_ENABLE, 2)).isZero();
    assertThat(driver.function.info().lastError()).contains("area");
    assertThat(driver.isr()).as("S3: no notification before DRIVER_OK").isZero();
    assertThat(driver.bus.openSections).hasValue(0);
  }

  @Test
  void s4UnofferedBitsAreRefusedAndTheReasonIsKept() {
    for (final long bits : new long[] {1L << 5, 1L << 63, 1L << 27}) {
      assertThat(driver.negotiate(bits)).isFalse();
      assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER);
      assertThat(driver.function.info().lastError()).startsWith("FEATURES_OK refused");
      assertThat(driver.function.info().accepted()).isZero();
    }
    assertThat(driver.negotiate(VirtioFeatures.EVENT_IDX)).isTrue();
    assertThat(driver.function.info().lastError()).isNull();
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 3, 4, 0xffff_ffffL})
  void s4BitsAbove63AreRefused(final long select) {
    driver.status(VirtioStatus.ACKNOWLEDGE);
    driver.status(Driver.ACK_DRIVER);
    driver.accept(VirtioFeatures.VERSION_1);
    driver.set(DRIVER_FEATURE_SELECT, 4, select);
    driver.set(DRIVER_FEATURE, 4, 0); // as Linux does for 2 and 3
    driver.set(DRIVER_FEATURE, 4, 1);
    driver.status(NEGOTIATED);
    assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER);
  }

  @Test
  void s7VersionOneMustBeAccepted() {
    driver.status(Driver.ACK_DRIVER);
    driver.accept(VirtioFeatures.INDIRECT_DESC);
    driver.status(NEGOTIATED);
    assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER);
    // the driver may try again with another set
    driver.accept(VirtioFeatures.INDIRECT_DESC | VirtioFeatures.VERSION_1);
    driver.status(NEGOTIATED);
    assertThat(driver.status()).isEqualTo(NEGOTIATED);
  }

  @Test
  void h22FeaturesAreWritableDuringNegotiationOnly() {
    driver.accept(VirtioFeatures.VERSION_1);
    assertThat(driver.get(DRIVER_FEATURE, 4)).isZero();
    driver.status(VirtioStatus.ACKNOWLEDGE);
    driver.accept(VirtioFeatures.VERSION_1);
    assertThat(driver.get(DRIVER_FEATURE, 4)).isZero();
    driver.negotiate(VirtioFeatures.EVENT_IDX);
    driver.accept(0);
    assertThat(driver.function.info().accepted())
        .isEqualTo(VirtioFeatures.EVENT_IDX | VirtioFeatures.VERSION_1);
  }

  @Test
  void h23StatusBitsAreOnlyAddedInOrder() {
    driver.status(0x0f); // nothing is negotiated: FEATURES_OK and so DRIVER_OK are refused
    assertThat(driver.status()).isEqualTo(Driver.ACK_DRIVER);
    driver.start(0, ring());
    driver.status(0x07);
    assertThat(driver.status()).isEqualTo(0x0f);
    driver.status(VirtioStatus.NEEDS_RESET | 0x0f);
    assertThat(driver.status()).as("NEEDS_RESET is the device's").isEqualTo(0x0f);
    driver.status(VirtioStatus.FAILED);
    assertThat(driver.status()).isEqualTo(0x8f);
    driver.status(0);
    assertThat(driver.status()).isZero();
  }

  @Test
  void accessesOfEveryWidthEverywhereAreSurvived() {
    for (int offset = 0; offset < 0x4000; offset++) {
      for (final int width : new int[] {1, 2, 4, 8}) {
        if (offset % width == 0 && offset != DEVICE_STATUS) {
          final long before = driver.function.read(4, offset, width);
          driver.function.write(4, offset, width, -1L);
          assertThat(width == 8 || before >>> (8 * width) == 0).isTrue();
        }
      }
    }
    assertThat(driver.function.read(1, 0, 4)).isZero();
    driver.function.write(1, 0, 4, 1);
    driver.status(0);
    driver.start(0, ring());
    assertThat(driver.status()).isEqualTo(0x0f);
  }
}
