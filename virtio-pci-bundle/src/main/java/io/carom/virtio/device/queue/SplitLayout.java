package io.carom.virtio.device.queue;

import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.VirtioFeatures;

/** The split ring (virtio 1.4, section Split Virtqueues). */
public final class SplitLayout implements QueueLayout {
  /** The layout; it has no state. */
  public SplitLayout() {}

  @Override
  public long features() {
    return VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
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
  public VirtQueue open(final QueueSetup setup, final int position) throws QueueException {
    aligned("descriptor", setup.desc(), SplitRingDescriptor.DESC_ALIGN);
    aligned("driver", setup.driver(), SplitRingDescriptor.AVAIL_ALIGN);
    aligned("device", setup.device(), SplitRingDescriptor.USED_ALIGN);
    return new SplitQueue(setup, position);
  }

  private static void aligned(final String area, final long address, final int alignment)
      throws QueueException {
    if (address == 0) {
      throw new QueueException("the " + area + " area has address 0: it was never set");
    }
    if ((address & (alignment - 1)) != 0) {
      throw new QueueException(
          "the "
              + area
              + " area at 0x"
              + Long.toHexString(address)
              + " is not aligned to "
              + alignment);
    }
  }
}
