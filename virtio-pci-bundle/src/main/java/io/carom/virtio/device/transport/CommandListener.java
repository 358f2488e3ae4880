package io.carom.virtio.device.transport;

import org.jspecify.annotations.Nullable;

/**
 * What becomes of a device when the guest changes the route to memory under it: bus mastering,
 * memory decoding, or where its region lies. One for each function; called on guest threads, under
 * the bus's lock for the function's config space: it must not wait for a guest.
 */
public interface CommandListener {
  /** Nothing follows: each access finds its route, or faults. */
  CommandListener NONE = (command, regionAddress, live) -> null;

  /**
   * The route may have changed.
   *
   * @param command the function's command register
   * @param regionAddress bus address of the SWIOTLB region, or -1 while it is not decoded
   * @param live whether the driver drives and a queue is enabled
   * @return why the device cannot go on and needs a reset, or null
   */
  @Nullable String commandChanged(int command, long regionAddress, boolean live);

  /**
   * A queue was enabled, with the accepted features, while the region was there. Called under the
   * device's lock.
   */
  default void queueEnabled(final int queue, final long accepted, final long regionAddress) {}

  /** The device was reset. Called under the device's lock. */
  default void reset() {}
}
