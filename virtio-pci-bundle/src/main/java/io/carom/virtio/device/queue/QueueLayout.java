package io.carom.virtio.device.queue;

/** A ring layout: makes queues, and says what it asks of them. */
public interface QueueLayout {
  /** Feature bits that queues of this layout can honour. */
  long features();

  /** Whether a queue may have this many entries, 0..65535. */
  boolean legalSize(int size);

  /** Where a new queue begins, as {@link VirtQueue#nextAvail} has it. */
  int start();

  /**
   * Makes the device side of a queue that goes on from a place, with nothing in flight.
   *
   * @param position {@link #start}, or what {@link VirtQueue#nextAvail} and {@link
   *     VirtQueue#nextUsed} of a queue at rest both were
   * @throws QueueException when size, areas or place are not what the layout allows
   */
  VirtQueue open(QueueSetup setup, int position) throws QueueException;

  /** Makes the device side of a new queue. */
  default VirtQueue open(final QueueSetup setup) throws QueueException {
    return open(setup, start());
  }
}
