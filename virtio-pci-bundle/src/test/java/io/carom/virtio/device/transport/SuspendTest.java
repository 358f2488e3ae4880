package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.EchoRig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SuspendTest {
  private static final int ACKNOWLEDGED = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;
  private static final int LIVE = 0x0f;
  private static final int SUSPENDED = (LIVE & ~VirtioStatus.DRIVER_OK) | VirtioStatus.SUSPEND;
  private static final int WORKER = EchoModel.WORKER;
  private static final int CONFIG = 0x2000;

  private EchoRig rig = new EchoRig(WorkerOptions.manual());

  @AfterEach
  void stop() {
    rig.release();
    rig.driver.function.unplugged();
  }

  private void suspend() {
    rig.driver.status(LIVE | VirtioStatus.SUSPEND);
  }

  private void resume() {
    rig.driver.status(LIVE);
  }

  @Test
  @DisplayName("S9 D: SUSPEND=1 leads to SUSPEND=1 and DRIVER_OK=0, and DRIVER_OK=1 back")
  void s9_suspendsAndResumes() {
    rig.start(VirtioFeatures.SUSPEND);
    suspend();
    assertThat(rig.driver.status()).isEqualTo(SUSPENDED);
    rig.driver.status(LIVE | VirtioStatus.SUSPEND);
    assertThat(rig.driver.status()).as("that is no resumption").isEqualTo(SUSPENDED);
    rig.driver.status(ACKNOWLEDGED | VirtioStatus.FEATURES_OK);
    assertThat(rig.driver.status()).as("nor is that").isEqualTo(SUSPENDED);
    resume();
    assertThat(rig.driver.status()).isEqualTo(LIVE);
  }

  @Test
  @DisplayName("S9 D: SUSPEND is ignored when it was not negotiated, or before DRIVER_OK")
  void s9_ignoredUnlessNegotiatedAndLive() {
    rig.start(0);
    suspend();
    assertThat(rig.driver.status()).isEqualTo(LIVE);
    rig.driver.negotiate(VirtioFeatures.SUSPEND);
    rig.driver.status(ACKNOWLEDGED | VirtioStatus.FEATURES_OK | VirtioStatus.SUSPEND);
    assertThat(rig.driver.status()).isEqualTo(ACKNOWLEDGED | VirtioStatus.FEATURES_OK);
  }

  @Test
  @DisplayName("S9 D: no ring is touched and nobody notified while suspended; then all is served")
  void s9_nothingIsTouchedWhileSuspended() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.SUSPEND);
    suspend();
    final byte[][] expected = {rig.offer(0, 0), rig.offer(0, 1), rig.offer(WORKER, 0)};
    rig.offerBuffer(EchoModel.EVENTS, 0);
    final long before = rig.bus.ramAccesses.get();
    rig.driver.kick(0);
    rig.driver.kick(WORKER);
    rig.driver.function.processNow();
    assertThat(rig.model.context().send(EchoModel.EVENTS, new byte[] {1, 2})).isFalse();
    assertThat(rig.bus.ramAccesses).hasValue(before);
    assertThat(rig.bus.messages).isEmpty();
    resume();
    rig.driver.function.processNow();
    assertThat(rig.queues[0].usedIndex()).isEqualTo(2);
    assertThat(rig.answer(0, 0)).isEqualTo(expected[0]);
    assertThat(rig.answer(0, 1)).isEqualTo(expected[1]);
    assertThat(rig.answer(WORKER, 0)).isEqualTo(expected[2]);
    assertThat(rig.bus.messages).contains(1, 3);
    assertThat(rig.model.context().send(EchoModel.EVENTS, new byte[] {1, 2})).isTrue();
  }

  @Test
  @DisplayName(
      "S9 I2 D: a configuration notification is kept until the device goes on, and sent once")
  void s9_configNotificationIsDeferred() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.SUSPEND);
    suspend();
    rig.model.context().config(0, new byte[] {9}, true);
    rig.model.context().config(1, new byte[] {8}, true);
    assertThat(rig.bus.messages).isEmpty();
    assertThat(rig.driver.isr()).isZero();
    resume();
    assertThat(rig.bus.messages).containsExactly(0);
    assertThat(rig.driver.isr()).isEqualTo(CommonCfgDescriptor.ISR_CONFIG);
    suspend();
    resume();
    assertThat(rig.bus.messages).containsExactly(0);
  }

  @Test
  @DisplayName("S9 D: queues and configuration keep their values while suspended")
  void s9_registersKeepTheirValues() {
    rig.start(VirtioFeatures.SUSPEND | VirtioFeatures.RING_RESET);
    suspend();
    rig.model.calls.clear();
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    rig.driver.set(CommonCfgDescriptor.QUEUE_RESET, 2, 1);
    rig.driver.set(CONFIG, 1, 5);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isEqualTo(1);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_RESET, 2)).isZero();
    assertThat(rig.model.calls).isEmpty();
    rig.driver.set(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2, 2);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_MSIX_VECTOR, 2)).isEqualTo(2);
  }

  @Test
  @DisplayName("S9 D: both bits are set until the request inside has ended")
  void s9_waitsForTheRequestInside() {
    rig =
        new EchoRig(new WorkerOptions(true, 1000, 20_000_000, 60_000_000_000L))
            .start(VirtioFeatures.SUSPEND);
    rig.block();
    final byte[] expected = rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.awaitInside();
    suspend();
    assertThat(rig.driver.status()).isEqualTo(LIVE | VirtioStatus.SUSPEND);
    resume();
    assertThat(rig.driver.status()).as("not before it is complete").isEqualTo(0x1f);
    rig.release();
    EchoRig.await("the suspension", () -> rig.driver.status() == SUSPENDED);
    assertThat(rig.queues[WORKER].usedIndex()).isEqualTo(1);
    assertThat(rig.answer(WORKER, 0)).isEqualTo(expected);
  }

  @Test
  @DisplayName(
      "S9 S3 D: a suspension that fails gives NEEDS_RESET and a configuration notification")
  void s9_failureNeedsReset() {
    rig =
        new EchoRig(new WorkerOptions(true, 1000, 10_000_000, 50_000_000))
            .start(VirtioFeatures.SUSPEND);
    rig.bus.msix = true;
    rig.block();
    rig.offer(WORKER, 0);
    rig.driver.kick(WORKER);
    rig.awaitInside();
    suspend();
    EchoRig.await("the failure", () -> rig.driver.needsReset());
    assertThat(rig.driver.function.info().lastError()).contains("suspended");
    EchoRig.await("the notification", () -> rig.bus.messages.contains(0));
    rig.release();
    EchoRig.await(
        "reset",
        () -> {
          rig.driver.status(0);
          return rig.driver.status() == 0;
        });
    rig.model.before = request -> {};
    rig.start(VirtioFeatures.SUSPEND);
    final byte[] expected = rig.offer(0, 3);
    rig.driver.kick(0);
    assertThat(rig.answer(0, 3)).isEqualTo(expected);
  }

  @Test
  @DisplayName("S9 S3 D: a device that breaks while suspended says so when it is to go on")
  void s9_brokenWhileSuspended() {
    rig.bus.msix = true;
    rig.start(VirtioFeatures.SUSPEND);
    suspend();
    rig.model.context().needsReset("a test");
    assertThat(rig.driver.status()).isEqualTo(SUSPENDED | VirtioStatus.NEEDS_RESET);
    assertThat(rig.bus.messages).isEmpty();
    resume();
    assertThat(rig.driver.status()).isEqualTo(LIVE | VirtioStatus.NEEDS_RESET);
    assertThat(rig.bus.messages).containsExactly(0);
    rig.offer(0, 0);
    rig.driver.kick(0);
    assertThat(rig.queues[0].usedIndex()).isZero();
  }

  @Test
  @DisplayName("S9 M1 D: a reset ends a suspension")
  void s9_resetEndsIt() {
    rig.start(VirtioFeatures.SUSPEND);
    suspend();
    rig.model.context().config(0, new byte[] {9}, true);
    rig.driver.status(0);
    assertThat(rig.driver.status()).isZero();
    rig.bus.msix = true;
    rig.start(0);
    assertThat(rig.driver.status()).isEqualTo(LIVE);
    assertThat(rig.bus.messages).as("what was kept is void").isEmpty();
  }
}
