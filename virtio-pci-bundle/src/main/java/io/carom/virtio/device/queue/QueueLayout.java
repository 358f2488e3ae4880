package io.carom.virtio.device.queue;

/** A ring layout: makes queues, and says what it asks of them. */
public interface QueueLayout {
  /** Feature bits that queues of this layout can honour. */
  long features();

  /** Whether a queue may have this many entries, 1..65535. */
  boolean legalSize(int size);

  /**
   * Makes the device side of a queue.
   *
   * @throws QueueException when the areas are not where the layout allows them to be
   */
  VirtQueue open(QueueSetup setup) throws QueueException;
}
