package io.carom.virtio.device.queue;

/** What both layouts check of a queue that is to be opened. */
final class LayoutRules {
  private LayoutRules() {}

  /** Checks the size, which may have been set before the layout was negotiated. */
  static void size(final QueueLayout layout, final QueueSetup setup) throws QueueException {
    if (!layout.legalSize(setup.size())) {
      throw new QueueException(
          "a "
              + (setup.packed() ? "packed" : "split")
              + " queue cannot have "
              + setup.size()
              + " entries");
    }
  }

  /** Checks an area's address. */
  static void aligned(final String area, final long address, final int alignment)
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
