package io.carom.virtio.device.queue;

/** Serves the chains of one queue. Called by one thread at a time, inside a bus section. */
@FunctionalInterface
public interface QueueHandler {
  /**
   * Serves a chain completely: its written bytes are counted in it when this returns.
   *
   * @throws QueueException when the chain is not a request at all, so that there is nowhere to put
   *     an answer: the device will need a reset
   */
  void handle(DescriptorChain chain) throws QueueException;

  /**
   * Whether each chain is visible to the driver before the next one is handled, so that at most one
   * is handled again by who goes on after this device. Else a batch becomes visible at once.
   */
  default boolean returnsEach() {
    return false;
  }

  /**
   * Whether the chain that {@link #handle} had last was not served, and is to wait with all behind
   * it: it goes back into the ring, and comes again when the queue is woken.
   */
  default boolean holds() {
    return false;
  }

  /** Chains may follow: a doorbell is served, or a thread that was idle goes on. */
  default void batchBegins() {}

  /** There are none for now. Follows each {@link #batchBegins}, on the same thread. */
  default void batchEnds() {}
}
