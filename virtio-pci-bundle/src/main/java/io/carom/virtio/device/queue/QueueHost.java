package io.carom.virtio.device.queue;

/** What a queue's worker needs of its device. Thread-safe. */
public interface QueueHost {
  /** Whether queues may be served: the driver is ready, and the device not broken or resetting. */
  boolean serving();

  /** Notifies the driver of used buffers, as the queue's vector says. Returns whether it was. */
  boolean notifyUsed(int queue);

  /**
   * The device's own code failed while it served a queue. What it had taken stays in flight: it is
   * served again by the code that comes next, or given up with the driver's reset. Called by who
   * serves, inside; nothing of the queue is served until it gets a ring again.
   *
   * @param head of the chain that it was serving, or -1 when there is none
   */
  default void failed(final int queue, final int head, final Throwable why) {
    broken(queue, "an internal error: " + why);
  }

  /** The queue cannot go on: the device needs a reset. */
  void broken(int queue, String reason);
}
