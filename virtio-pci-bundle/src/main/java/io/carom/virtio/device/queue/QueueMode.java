package io.carom.virtio.device.queue;

/** Who serves a queue, and when. */
public enum QueueMode {
  /** A thread of the device, which doorbells wake. */
  WORKER,
  /** The guest's thread, inside the doorbell's write. */
  DOORBELL,
  /** Nobody: the device takes buffers when it has something to say. */
  EVENTS;
}
