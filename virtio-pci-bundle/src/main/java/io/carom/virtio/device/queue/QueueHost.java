package io.carom.virtio.device.queue;

/** What a queue's worker needs of its device. Thread-safe. */
public interface QueueHost {
  /** Whether queues may be served: the driver is ready, and the device not broken or resetting. */
  boolean serving();

  /** Notifies the driver of used buffers, as the queue's vector says. Returns whether it was. */
  boolean notifyUsed(int queue);

  /** The queue cannot go on: the device needs a reset. */
  void broken(int queue, String reason);
}
