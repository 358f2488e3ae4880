package io.carom.virtio.device.queue;

import java.util.BitSet;
import java.util.List;

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

  /** Checks heads in flight, of which no two can be the same; each is below a limit. */
  static void inFlight(final QueueSetup setup, final List<Integer> heads, final int limit)
      throws QueueException {
    if (heads.size() > setup.size()) {
      throw new QueueException(
          heads.size() + " chains in flight are more than the queue's " + setup.size());
    }
    final BitSet seen = new BitSet();
    for (final int head : heads) {
      if (head < 0 || head >= limit) {
        throw new QueueException("chain " + head + " in flight is not in 0.." + (limit - 1));
      }
      if (seen.get(head)) {
        throw new QueueException("chain " + head + " is in flight twice");
      }
      seen.set(head);
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
