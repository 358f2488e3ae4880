package io.carom.virtio.testkit;

import io.carom.virtio.VirtioFeatures;

/** The two layouts of a virtqueue (virtio 1.4, section Virtqueues). */
public enum RingLayout {
  /** Descriptor table, available ring and used ring. */
  SPLIT(0),
  /** One ring of descriptors, and two event suppression structures. */
  PACKED(VirtioFeatures.RING_PACKED);

  private final long features;

  RingLayout(final long features) {
    this.features = features;
  }

  /** The feature bits to be negotiated for it. */
  public long features() {
    return features;
  }

  /** A ring in zeroed memory from a page on: its areas follow each other, each from a page on. */
  public TestRing open(final TestMemory memory, final int size, final long base) {
    return switch (this) {
      case SPLIT -> new SplitRing(memory, size, base);
      case PACKED -> new PackedRing(memory, size, base);
    };
  }
}
