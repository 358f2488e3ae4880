package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioFeatures;

/**
 * What a doorbell must look like (virtio 1.4, sections Driver Notifications and Available Buffer
 * Notifications). Its place in NOTIFY says which queue is meant. By default it has 16 bits, and its
 * value, the queue's index, is not looked at. With NOTIFICATION_DATA it has 32: the lower half
 * names the queue, the upper half says where the driver will go on in the ring, which is a hint
 * that is not needed here. With NOTIF_CONFIG_DATA the queue is named by what the device said in
 * {@code queue_notif_config_data}. A doorbell of another width, or one that names another queue
 * than its place does, is none.
 */
final class Doorbell {
  private static final int U16 = 0xffff;

  /** Makes the data differ from the index in every queue, so that a driver's mistake shows. */
  private static final int CONFIG_DATA_MARK = 0xa500;

  private Doorbell() {}

  /** What a queue's {@code queue_notif_config_data} reads. */
  static int configData(final int queue) {
    return queue ^ CONFIG_DATA_MARK;
  }

  /** Whether a write at a queue's place is a doorbell of that queue. */
  static boolean rings(final long negotiated, final int queue, final int width, final long value) {
    final boolean data = (negotiated & VirtioFeatures.NOTIFICATION_DATA) != 0;
    final boolean named = (negotiated & VirtioFeatures.NOTIF_CONFIG_DATA) != 0;
    if (width != (data ? Integer.BYTES : Short.BYTES)) {
      return false;
    }
    final long name = value & U16;
    return named ? name == configData(queue) : !data || name == queue;
  }
}
