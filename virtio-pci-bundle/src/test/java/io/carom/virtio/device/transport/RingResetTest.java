package io.carom.virtio.device.transport;

import static io.carom.virtio.CommonCfgDescriptor.NO_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DESC;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DEVICE;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_DRIVER;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_ENABLE;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_MSIX_VECTOR;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_RESET;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_SELECT;
import static io.carom.virtio.CommonCfgDescriptor.QUEUE_SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.EchoRig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class RingResetTest {
  private static final int WORKER = EchoModel.WORKER;
  private static final WorkerOptions SHORT_WAITS =
      new WorkerOptions(true, 1000, 20_000_000, 50_000_000);

  private EchoRig rig = new EchoRig(WorkerOptions.manual());

  @AfterEach
  void stop() {
    rig.release();
    rig.driver.function.unplugged();
  }

  private long get(final int field) {
    return rig.driver.get(field, field >= QUEUE_DESC && field <= QUEUE_DEVICE ? 8 : 2);
  }

  private void reset(final int queue) {
    rig.driver.set(QUEUE_SELECT, 2, queue);
    rig.driver.set(QUEUE_RESET, 2, 1);
  }

  @Test
  @DisplayName("S8 D: a queue that was reset has its default state, and others go on")
  void s8_resetQueueHasDefaults() {
    rig.start(VirtioFeatures.RING_RESET);
    reset(WORKER);
    assertThat(get(QUEUE_RESET)).isZero();
    assertThat(get(QUEUE_ENABLE)).isZero();
    assertThat(get(QUEUE_SIZE)).isEqualTo(EchoModel.QUEUE_SIZE);
    assertThat(get(QUEUE_DESC)).isZero();
    assertThat(get(QUEUE_DRIVER)).isZero();
    assertThat(get(QUEUE_DEVICE)).isZero();
    assertThat(get(QUEUE_MSIX_VECTOR)).isEqualTo(NO_VECTOR);
    rig.driver.set(QUEUE_SELECT, 2, EchoModel.DOORBELL);
    assertThat(get(QUEUE_ENABLE)).isEqualTo(1);
    final byte[] expected = rig.offer(EchoModel.DOORBELL, 0);
    rig.driver.kick(EchoModel.DOORBELL);
    assertThat(rig.answer(EchoModel.DOORBELL, 0)).isEqualTo(expected);
    assertThat(rig.driver.status()).isEqualTo(0x0f);
  }

  @Test
  @DisplayName("S8 D: nothing of a queue is executed after its reset, and no one is notified of it")
  void s8_nothingIsServedAfterReset() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.RING_RESET);
    rig.offer(WORKER, 0);
    rig.driver.kick(WORKER); // latched, not served yet
    reset(WORKER);
    rig.driver.function.processNow();
    rig.offer(WORKER, 1);
    rig.driver.kick(WORKER);
    rig.driver.function.processNow();
    assertThat(rig.queues[WORKER].usedIndex()).isZero();
    assertThat(rig.model.served).hasValue(0);
    assertThat(rig.bus.messages).isEmpty();
  }

  @Test
  @DisplayName("S8 D: a queue that is enabled again has its new parameters, and begins at 0")
  void s8_reenabledQueueHasNewParameters() {
    rig.start(VirtioFeatures.RING_RESET);
    for (int i = 0; i < 5; i++) {
      rig.offer(WORKER, i);
    }
    rig.driver.kick(WORKER);
    rig.driver.function.processNow();
    assertThat(rig.queues[WORKER].usedIndex()).isEqualTo(5);
    reset(WORKER);
    rig.queues[WORKER] = new DriverQueue(rig.bus, 4, 0x80000);
    rig.driver.enable(WORKER, rig.queues[WORKER]);
    assertThat(get(QUEUE_ENABLE)).isEqualTo(1);
    assertThat(get(QUEUE_RESET)).isZero();
    assertThat(get(QUEUE_SIZE)).isEqualTo(4);
    final byte[] expected = rig.offer(WORKER, 1);
    rig.driver.kick(WORKER);
    rig.driver.function.processNow();
    assertThat(rig.queues[WORKER].usedIndex()).isEqualTo(1);
    assertThat(rig.answer(WORKER, 1)).isEqualTo(expected);
  }

  @Test
  @DisplayName("S8 D: queue_reset is ignored when RING_RESET was not negotiated (3.2)")
  void s8_ignoredUnlessNegotiated() {
    rig.start(0);
    reset(WORKER);
    assertThat(get(QUEUE_RESET)).isZero();
    assertThat(get(QUEUE_ENABLE)).isEqualTo(1);
    rig.driver.status(0);
    reset(WORKER);
    assertThat(get(QUEUE_RESET)).isZero();
  }

  @Test
  @DisplayName("S8 D: values but 1, and queues that do not exist, are ignored")
  void s8_otherValuesAreIgnored() {
    rig.start(VirtioFeatures.RING_RESET);
    rig.driver.set(QUEUE_SELECT, 2, WORKER);
    for (final int value : new int[] {0, 2, 0x101, 0xffff}) {
      rig.driver.set(QUEUE_RESET, 2, value);
      assertThat(get(QUEUE_ENABLE)).isEqualTo(1);
    }
    reset(3);
    assertThat(get(QUEUE_RESET)).isZero();
    reset(0xffff);
    assertThat(rig.driver.status()).isEqualTo(0x0f);
  }

  @Test
  @DisplayName("S8 D: queue_reset reads 1 while a handler hangs, is bounded, and ends with it")
  void s8_hangingHandlerKeepsItAtOne() {
    rig = new EchoRig(SHORT_WAITS).start(VirtioFeatures.RING_RESET);
    rig.block();
    rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.awaitInside();
    reset(WORKER); // returns although the handler does not
    assertThat(get(QUEUE_RESET)).isEqualTo(1);
    assertThat(get(QUEUE_ENABLE)).as("1 while the reset is going on").isEqualTo(1);
    rig.driver.set(QUEUE_DESC, 4, 0x9000);
    rig.driver.set(QUEUE_ENABLE, 2, 1);
    rig.driver.set(QUEUE_RESET, 2, 1);
    assertThat(get(QUEUE_DESC)).isEqualTo(rig.queues[WORKER].desc);
    final byte[] expected = rig.offer(EchoModel.DOORBELL, 0);
    rig.model.before = request -> {};
    rig.driver.kick(EchoModel.DOORBELL);
    assertThat(rig.answer(EchoModel.DOORBELL, 0)).as("others go on").isEqualTo(expected);
    rig.release();
    EchoRig.await("the reset", () -> get(QUEUE_RESET) == 0);
    assertThat(get(QUEUE_ENABLE)).isZero();
    assertThat(get(QUEUE_DESC)).isZero();
    // what was inside has ended: memory stays as it is
    final int used = rig.queues[WORKER].usedIndex();
    rig.offer(WORKER, 1);
    rig.driver.kick(WORKER);
    assertThat(rig.queues[WORKER].usedIndex()).isEqualTo(used);
    // and it serves again
    rig.queues[WORKER] = new DriverQueue(rig.bus, 16, 0x90000);
    rig.driver.enable(WORKER, rig.queues[WORKER]);
    final byte[] again = rig.offer(WORKER, 2);
    rig.driver.kick(WORKER);
    EchoRig.await("an answer", () -> rig.queues[WORKER].usedIndex() == 1);
    assertThat(rig.answer(WORKER, 2)).isEqualTo(again);
  }

  @Test
  @DisplayName("S8 M1 D: the device's reset ends a queue's reset")
  void s8_deviceResetEndsIt() {
    rig = new EchoRig(SHORT_WAITS).start(VirtioFeatures.RING_RESET);
    rig.block();
    rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.awaitInside();
    reset(WORKER);
    rig.driver.status(0);
    assertThat(rig.driver.status()).isNotZero();
    rig.release();
    EchoRig.await("the device's reset", () -> rig.driver.status() == 0);
    rig.model.before = request -> {};
    rig.start(VirtioFeatures.RING_RESET);
    rig.driver.set(QUEUE_SELECT, 2, WORKER);
    assertThat(get(QUEUE_RESET)).isZero();
    assertThat(get(QUEUE_ENABLE)).isEqualTo(1);
  }

  @Test
  @DisplayName("S8 D: a queue of events that is reset has no buffers until it is enabled again")
  void s8_eventQueue() {
    rig.start(VirtioFeatures.RING_RESET);
    rig.offerBuffer(EchoModel.EVENTS, 0);
    rig.offerBuffer(EchoModel.EVENTS, 1);
    assertThat(rig.model.context().send(EchoModel.EVENTS, new byte[] {1, 2})).isTrue();
    reset(EchoModel.EVENTS);
    assertThat(rig.model.context().send(EchoModel.EVENTS, new byte[] {3, 4})).isFalse();
    assertThat(rig.queues[EchoModel.EVENTS].usedIndex()).isEqualTo(1);
    rig.queues[EchoModel.EVENTS] = new DriverQueue(rig.bus, 16, 0xa0000);
    rig.driver.enable(EchoModel.EVENTS, rig.queues[EchoModel.EVENTS]);
    rig.offerBuffer(EchoModel.EVENTS, 2);
    assertThat(rig.model.context().send(EchoModel.EVENTS, new byte[] {5, 6})).isTrue();
    assertThat(rig.answer(EchoModel.EVENTS, 2)).startsWith(5, 6);
  }
}
