package io.carom.virtio.device.region;

import org.jspecify.annotations.Nullable;

/**
 * Where a region was when the first queue that may name it by bus address was enabled. As long as
 * such queues live, the addresses in them mean that place: a BAR that is moved or not decoded any
 * more leaves them pointing at something else.
 *
 * <p>Held under the device's lock; asked by the bus, which changed the place before it asks.
 */
public final class RegionAnchor {
  private static final long NOWHERE = -1;

  private volatile boolean held;
  private volatile long base = NOWHERE;

  /** No queue yet. */
  public RegionAnchor() {}

  /** A queue was enabled while the region was there; -1 when it was not decoded. */
  public void hold(final long now) {
    if (!held) {
      base = now;
      held = true;
    }
  }

  /** No queue lives any more. */
  public void release() {
    held = false;
  }

  /** Why queues cannot go on with the region where it is now, or null when they can. */
  public @Nullable String moved(final long now) {
    if (!held || now == base) {
      return null;
    }
    return "the SWIOTLB region was "
        + place(base)
        + " when a queue was enabled and is "
        + place(now)
        + " now: reset the device before its BAR is moved or its decoding changed";
  }

  private static String place(final long address) {
    return address < 0 ? "not decoded" : "at 0x" + Long.toHexString(address);
  }
}
