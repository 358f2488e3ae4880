package io.carom.virtio.device.queue;

import org.jspecify.annotations.Nullable;

/** The available chains of a queue, in their order. */
@FunctionalInterface
public interface ChainSupply {
  /**
   * Takes the next chain.
   *
   * @return null when no more is available, or as many were taken as one filling may have
   * @throws QueueException when the ring or the chain breaks a rule
   */
  @Nullable DescriptorChain next() throws QueueException;
}
