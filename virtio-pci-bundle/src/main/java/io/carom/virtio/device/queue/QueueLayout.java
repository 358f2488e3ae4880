package io.carom.virtio.device.queue;

import java.util.List;

/** A ring layout: makes queues, and says what it asks of them. */
public interface QueueLayout {
  /** Feature bits that queues of this layout can honour. */
  long features();

  /** Whether a queue may have this many entries, 0..65535. */
  boolean legalSize(int size);

  /** Where a new queue begins, as {@link VirtQueue#nextAvail} has it. */
  int start();

  /**
   * Makes the device side of a queue that goes on from a place.
   *
   * @param position {@link #start}, or what {@link VirtQueue#nextUsed} was: chains in flight then
   *     are taken again
   * @param inFlight the heads that those must have, the oldest first; else the queue breaks when it
   *     comes to them
   * @throws QueueException when size, areas, place or heads are not what the layout allows
   */
  VirtQueue open(QueueSetup setup, int position, List<Integer> inFlight) throws QueueException;

  /** Makes the device side of a queue that goes on from a place with nothing in flight. */
  default VirtQueue open(final QueueSetup setup, final int position) throws QueueException {
    return open(setup, position, List.of());
  }

  /** Makes the device side of a new queue. */
  default VirtQueue open(final QueueSetup setup) throws QueueException {
    return open(setup, start());
  }
}
