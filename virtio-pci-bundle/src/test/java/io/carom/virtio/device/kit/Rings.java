package io.carom.virtio.device.kit;

import io.carom.virtio.VirtioFeatures;

/** Kinds of rings to run a test on. */
public enum Rings {
  SPLIT(0),
  SPLIT_IN_ORDER(VirtioFeatures.IN_ORDER),
  PACKED(VirtioFeatures.RING_PACKED),
  PACKED_IN_ORDER(VirtioFeatures.RING_PACKED | VirtioFeatures.IN_ORDER);

  /** Features that choose the kind. */
  public final long features;

  Rings(final long features) {
    this.features = features;
  }

  /** A ring whose three areas follow each other from an address on. */
  public DriverRing make(final FakeBus bus, final int size, final long base) {
    if ((features & VirtioFeatures.RING_PACKED) == 0) {
      return new DriverQueue(bus, size, base);
    }
    final PackedDriver ring = new PackedDriver(bus, size, base);
    ring.inOrder = (features & VirtioFeatures.IN_ORDER) != 0;
    return ring;
  }
}
