package io.carom.virtio.device.queue;

import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.util.List;

/** The packed ring (virtio 1.4, section Packed Virtqueues). */
public final class PackedLayout implements QueueLayout {
  /** Place 0, with a wrap counter of 1 in bit 15. */
  private static final int START = PackedQueue.WRAP;

  /** The layout; it has no state. */
  public PackedLayout() {}

  @Override
  public long features() {
    return VirtioFeatures.RING_PACKED
        | VirtioFeatures.INDIRECT_DESC
        | VirtioFeatures.EVENT_IDX
        | VirtioFeatures.IN_ORDER;
  }

  /** Anything from 1 to 32768. */
  @Override
  public boolean legalSize(final int size) {
    return size >= 1 && size <= PackedRingDescriptor.MAX_SIZE;
  }

  @Override
  public int start() {
    return START;
  }

  @Override
  public VirtQueue open(final QueueSetup setup, final int position, final List<Integer> inFlight)
      throws QueueException {
    LayoutRules.size(this, setup);
    LayoutRules.inFlight(setup, inFlight, PackedQueue.IDS);
    LayoutRules.aligned("descriptor", setup.desc(), PackedRingDescriptor.RING_ALIGN);
    LayoutRules.aligned("driver", setup.driver(), PackedRingDescriptor.EVENT_ALIGN);
    LayoutRules.aligned("device", setup.device(), PackedRingDescriptor.EVENT_ALIGN);
    if (position < 0 || position > 0xffff || (position & ~PackedQueue.WRAP) >= setup.size()) {
      throw new QueueException(
          "place "
              + (position & ~PackedQueue.WRAP)
              + " is not in a ring of "
              + setup.size()
              + " entries");
    }
    return new PackedQueue(setup, position, inFlight);
  }
}
