package io.carom.virtio.device.transport;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import org.junit.jupiter.api.Test;

class NotificationTest {
  private static final long RING = 0x10000;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x20100;

  private final Driver driver =
      Disks.drive(SwiotlbPolicy.NONE, Disks.memory(false, 2), WorkerOptions.manual());
  private final DriverQueue queue = new DriverQueue(driver.bus, 64, RING);

  /** Offers a FLUSH with a head of its own. */
  private void flush(final int head) {
    driver.header(HEADER, BlkDescriptor.T_FLUSH, 0);
    queue.desc(2 * head, HEADER, 16, NEXT, 2 * head + 1);
    queue.desc(2 * head + 1, STATUS, 1, WRITE, 0);
    queue.offer(2 * head);
  }

  @Test
  void s2N4NothingIsServedBeforeDriverOk() {
    driver.negotiate(0);
    driver.enable(0, queue);
    flush(0);
    driver.run();
    assertThat(queue.usedIndex()).isZero();
    assertThat(driver.bus.line).isFalse();
    driver.ready();
    driver.run();
    assertThat(queue.usedIndex()).isEqualTo(1);
  }

  @Test
  void n5SpuriousNotificationsAndThoseOfQueuesThatAreNotEnabledAreHarmless() {
    driver.start(0, queue);
    for (int i = 0; i < 100; i++) {
      driver.run();
      driver.kick(1);
      driver.function.processNow();
    }
    assertThat(driver.status()).isEqualTo(0x0f);
    assertThat(driver.bus.line).isFalse();
    assertThat(driver.function.info().queues().get(0).kicks()).isEqualTo(100);
  }

  @Test
  void doorbellIsA16BitWriteAtItsQueuesPlace() {
    driver.start(0, queue);
    flush(0);
    driver.function.processNow(); // what became available with DRIVER_OK
    final int before = queue.usedIndex();
    flush(1);
    driver.function.write(Driver.BAR, 0x3000, 4, 0);
    driver.function.write(Driver.BAR, 0x3000, 1, 0);
    driver.function.write(Driver.BAR, 0x3002, 2, 0);
    driver.function.write(Driver.BAR, 0x3004, 2, 0);
    driver.function.write(Driver.BAR, 0x3008, 2, 0);
    driver.function.write(Driver.BAR, 0x3ffe, 2, 0);
    driver.function.processNow();
    assertThat(queue.usedIndex()).isEqualTo(before);
    driver.function.write(Driver.BAR, 0x3000, 2, 0);
    driver.function.processNow();
    assertThat(queue.usedIndex()).isEqualTo(before + 1);
  }

  @Test
  void i1I2I3WithoutMsixTheIsrIsSetReadAndCleared() {
    driver.start(0, queue);
    flush(0);
    driver.run();
    assertThat(driver.bus.line).isTrue();
    assertThat(driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_QUEUE);
    assertThat(driver.bus.line).isFalse();
    assertThat(driver.isr()).isZero();
    assertThat(driver.bus.messages).isEmpty();
  }

  @Test
  void i4I5WithMsixTheVectorIsRaisedAndNoVectorIsSilent() {
    driver.bus.msix = true;
    driver.start(0, queue);
    flush(0);
    driver.run();
    assertThat(driver.bus.messages).containsExactly(1);
    assertThat(driver.bus.line).isFalse();
    assertThat(driver.isr()).isZero();
    driver.set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, CommonCfgDescriptor.NO_VECTOR);
    flush(1);
    driver.run();
    assertThat(queue.usedIndex()).isEqualTo(2);
    assertThat(driver.bus.messages).containsExactly(1);
    assertThat(driver.bus.line).isFalse();
  }

  @Test
  void i2ConfigurationChangeSetsTheIsrWithMsixToo() {
    driver.bus.msix = true;
    driver.function.configChanged();
    assertThat(driver.isr()).as("nobody drives it yet").isZero();
    driver.start(0, queue);
    driver.function.configChanged();
    assertThat(driver.bus.messages).containsExactly(0);
    assertThat(driver.bus.line).isFalse();
    assertThat(driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_CONFIG);
  }

  @Test
  void r7WithoutEventIndexTheFlagDecides() {
    driver.start(0, queue);
    queue.availFlags(1);
    flush(0);
    driver.run();
    assertThat(queue.usedIndex()).isEqualTo(1);
    assertThat(driver.isr()).isZero();
    queue.availFlags(0xfffe);
    flush(1);
    driver.run();
    assertThat(driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_QUEUE);
  }

  @Test
  void r7WithoutEventIndexTheDeviceAsksForDoorbellsBeforeItSleeps() {
    driver.start(0, queue);
    flush(0);
    driver.run();
    assertThat(queue.usedFlags()).isZero();
  }

  @Test
  void r7EventIndexDecidesWhichUsedEntryInterrupts() {
    driver.start(VirtioFeatures.EVENT_IDX, queue);
    queue.usedEvent(1);
    queue.availFlags(1); // means nothing now
    flush(0);
    driver.run();
    assertThat(driver.isr()).isZero();
    flush(1);
    driver.run();
    assertThat(driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_QUEUE);
    flush(2);
    driver.run();
    assertThat(driver.isr()).isZero();
    assertThat(queue.availEvent()).isEqualTo(3);
    assertThat(queue.usedFlags()).isZero();
  }

  @Test
  void r7OneInterruptForABatchThatPassesTheEvent() {
    driver.bus.msix = true;
    driver.start(VirtioFeatures.EVENT_IDX, queue);
    queue.usedEvent(4);
    for (int i = 0; i < 10; i++) {
      flush(i);
    }
    driver.run();
    assertThat(queue.usedIndex()).isEqualTo(10);
    assertThat(driver.bus.messages).containsExactly(1);
    assertThat(driver.function.info().queues().get(0).interrupts()).isEqualTo(1);
  }

  @Test
  void indexesWrapAround() {
    driver.start(VirtioFeatures.EVENT_IDX, queue);
    for (int i = 0; i < 70_000; i++) {
      queue.usedEvent(i);
      flush(i % 32);
      driver.run();
      if (driver.isr() != CommonCfgDescriptor.ISR_QUEUE) {
        throw new AssertionError("no interrupt for request " + i);
      }
    }
    assertThat(queue.usedIndex()).isEqualTo(70_000 & 0xffff);
    assertThat(driver.status()).isEqualTo(0x0f);
  }

  @Test
  void s6AfterAResetThereIsNothingOfBefore() {
    driver.start(0, queue);
    flush(0);
    driver.run();
    assertThat(driver.bus.line).isTrue();
    driver.status(0);
    assertThat(driver.status()).isZero();
    assertThat(driver.bus.line).isFalse();
    assertThat(driver.isr()).isZero();
    flush(1);
    driver.run();
    assertThat(queue.usedIndex()).isEqualTo(1);
    assertThat(driver.bus.line).isFalse();
  }

  @Test
  void failedDriverIsNotServed() {
    driver.start(0, queue);
    driver.status(VirtioStatus.FAILED);
    flush(0);
    driver.run();
    assertThat(queue.usedIndex()).isZero();
  }
}
