package io.carom.virtio.device.queue;

import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.util.List;

/** The split ring (virtio 1.4, section Split Virtqueues). */
public final class SplitLayout implements QueueLayout {
  private static final int MAX_INDEX = 0xffff;

  /** The layout; it has no state. */
  public SplitLayout() {}

  @Override
  public long features() {
    return VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX | VirtioFeatures.IN_ORDER;
  }

  /** A power of two of at most 32768. */
  @Override
  public boolean legalSize(final int size) {
    return size >= 1 && size <= SplitRingDescriptor.MAX_SIZE && Integer.bitCount(size) == 1;
  }

  @Override
  public int start() {
    return 0;
  }

  @Override
  public VirtQueue open(final QueueSetup setup, final int position, final List<Integer> inFlight)
      throws QueueException {
    LayoutRules.size(this, setup);
    LayoutRules.inFlight(setup, inFlight, setup.size());
    LayoutRules.aligned("descriptor", setup.desc(), SplitRingDescriptor.DESC_ALIGN);
    LayoutRules.aligned("driver", setup.driver(), SplitRingDescriptor.AVAIL_ALIGN);
    LayoutRules.aligned("device", setup.device(), SplitRingDescriptor.USED_ALIGN);
    if (position < 0 || position > MAX_INDEX) {
      throw new QueueException("index " + position + " is not in 0.." + MAX_INDEX);
    }
    return new SplitQueue(setup, position, inFlight);
  }
}
