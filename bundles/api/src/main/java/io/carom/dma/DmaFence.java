package io.carom.dma;

import java.time.Duration;

/**
 * The driver's way to make sure that its device touches no buffer any more, for {@link
 * SwapPolicy#REVOKE}. Given to {@link DmaDevice#fence}.
 */
@FunctionalInterface
public interface DmaFence {
  /**
   * Stops the device with a completed reset, ends its outstanding requests with an I/O error,
   * unmaps their buffers, and has the device start again. Called by the core on a thread of its
   * own, outside every lock; maps and unmaps of the driver go on meanwhile.
   *
   * @param timeout for all of that
   * @return true when the reset is complete: no access that was begun before goes on, so that
   *     memory which is mapped still may be taken away; false when it was not in time
   */
  boolean fence(Duration timeout);
}
