package io.carom.virtio.device.queue;

import java.util.List;

/**
 * The chains that the device's code before had taken and not returned, which are taken again. The
 * driver must not have touched their entries; that their heads are the same is the proof of it that
 * can be had, and serving others in their place would return what nobody asked for.
 */
final class TakenBefore {
  private final List<Integer> heads;

  /** Chains taken again, less those given up again. */
  private int taken;

  TakenBefore(final List<Integer> heads) {
    this.heads = heads;
  }

  /** A chain was found: is it the one that was taken then? */
  void check(final int head) throws QueueException {
    if (taken < heads.size() && heads.get(taken) != head) {
      throw new QueueException(
          "chain "
              + heads.get(taken)
              + " was being served when the device's code was replaced, and its place has chain "
              + head
              + " now");
    }
  }

  void popped() {
    taken++;
  }

  void rewound(final int chains) {
    taken -= chains;
  }

  /** Whether all of them are taken again; what was returned since is not given up any more. */
  boolean over() {
    return taken >= heads.size();
  }
}
