package io.carom.virtio.device.queue;

/** Fills buffers of a queue of mode {@code EVENTS}. */
@FunctionalInterface
public interface Filler {
  /**
   * Takes chains and fills them, inside a bus section: copies, and waits for nothing.
   *
   * @param chains each one taken stays valid until this returns
   * @return whether all chains taken go back to the driver, with the bytes that were counted in
   *     them; else all of them stay available, as if none had been taken
   * @throws QueueException when a chain breaks a rule of the device type
   */
  boolean fill(ChainSupply chains) throws QueueException;
}
