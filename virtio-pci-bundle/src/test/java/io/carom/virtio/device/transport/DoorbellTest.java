package io.carom.virtio.device.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.EchoRig;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class DoorbellTest {
  private static final int QUEUE = EchoModel.WORKER;

  private final EchoRig rig = new EchoRig(WorkerOptions.manual());
  private int slot;

  /** Whether a write at the queue's place is a doorbell: a request is served after it. */
  private boolean rings(final int width, final long value) {
    final int before = rig.queues[QUEUE].usedIndex();
    final byte[] expected = rig.offer(QUEUE, slot);
    rig.ring(QUEUE, width, value);
    rig.driver.function.processNow();
    final boolean rang = rig.queues[QUEUE].usedIndex() != before;
    if (rang) {
      assertThat(rig.answer(QUEUE, slot)).isEqualTo(expected);
    }
    slot++; // one that was not served is served with the next that is
    return rang;
  }

  private int configData() {
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, QUEUE);
    return (int) rig.driver.get(CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA, 2);
  }

  private void start(final long features) {
    rig.start(features);
    rig.driver.function.processNow();
    slot = 0;
  }

  @Test
  @DisplayName("N3 D: without more features a doorbell has 16 bits")
  void n3_plain() {
    start(0);
    assertThat(rings(2, QUEUE)).isTrue();
    assertThat(rings(4, QUEUE)).isFalse();
    assertThat(rings(1, QUEUE)).isFalse();
    assertThat(rings(8, QUEUE)).isFalse();
    assertThat(configData()).as("not negotiated").isZero();
  }

  @Test
  @DisplayName("N3 D: with NOTIFICATION_DATA it has 32 bits, the lower ones name the queue")
  void n3_notificationData() {
    start(VirtioFeatures.NOTIFICATION_DATA);
    assertThat(rings(4, QUEUE | 1L << 16)).isTrue();
    assertThat(rings(4, QUEUE | 0xffff_0000L)).as("the rest is a hint").isTrue();
    assertThat(rings(2, QUEUE)).isFalse();
    assertThat(rings(4, QUEUE + 1)).as("another queue's").isFalse();
    assertThat(rings(8, QUEUE)).isFalse();
  }

  @Test
  @DisplayName("N3 D: with NOTIF_CONFIG_DATA it has the value of queue_notif_config_data")
  void n3_notifConfigData() {
    start(VirtioFeatures.NOTIF_CONFIG_DATA);
    final int data = configData();
    assertThat(data).isNotEqualTo(QUEUE);
    assertThat(rings(2, data)).isTrue();
    assertThat(rings(2, QUEUE)).isFalse();
    assertThat(rings(4, data)).isFalse();
  }

  @Test
  @DisplayName("N3 D: with both, the lower half of 32 bits has it")
  void n3_both() {
    start(VirtioFeatures.NOTIFICATION_DATA | VirtioFeatures.NOTIF_CONFIG_DATA);
    final int data = configData();
    assertThat(rings(4, data | 7L << 16)).isTrue();
    assertThat(rings(4, QUEUE | 7L << 16)).isFalse();
    assertThat(rings(2, data)).isFalse();
  }

  @Test
  @DisplayName("N3 M3 D: queue_notif_config_data differs between queues, and is read-only")
  void n3_configDataIsTheQueues() {
    start(VirtioFeatures.NOTIF_CONFIG_DATA);
    final int data = configData();
    rig.driver.set(CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA, 2, 1);
    assertThat(configData()).isEqualTo(data);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 0);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA, 2)).isNotEqualTo(data);
    rig.driver.set(CommonCfgDescriptor.QUEUE_SELECT, 2, 3);
    assertThat(rig.driver.get(CommonCfgDescriptor.QUEUE_NOTIF_CONFIG_DATA, 2)).isZero();
  }

  @Test
  @DisplayName("H19 D: a doorbell behind the last queue, or between two, is none")
  void h19_outOfRange() {
    start(0);
    rig.offer(QUEUE, 0);
    rig.ring(3, 2, QUEUE);
    rig.ring(0x3fe, 2, QUEUE);
    rig.driver.set(0x3000 + 4 * QUEUE + 2, 2, QUEUE);
    rig.driver.function.processNow();
    assertThat(rig.queues[QUEUE].usedIndex()).isZero();
    assertThat(rig.driver.status()).isEqualTo(0x0f);
  }
}
