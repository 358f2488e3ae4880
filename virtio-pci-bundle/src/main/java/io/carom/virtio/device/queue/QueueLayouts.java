package io.carom.virtio.device.queue;

import io.carom.virtio.VirtioFeatures;

/**
 * The layouts that a function can serve: split always, packed where the driver accepts RING_PACKED.
 */
public final class QueueLayouts {
  private static final QueueLayout SPLIT = new SplitLayout();
  private static final QueueLayout PACKED = new PackedLayout();

  private QueueLayouts() {}

  /** Feature bits of the ring that can be offered. */
  public static long features() {
    return SPLIT.features() | PACKED.features();
  }

  /** The layout of queues with these accepted features. */
  public static QueueLayout of(final long accepted) {
    return (accepted & VirtioFeatures.RING_PACKED) != 0 ? PACKED : SPLIT;
  }
}
