package io.carom.iommu.pool.bounce;

import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;

/** Answers that give a buffer an address where it is. */
public final class Remaps {
  private Remaps() {}

  /**
   * Leases addresses for a request and answers with them, or refuses.
   *
   * @param deferred whether the invalidation may be put off
   */
  public static void remap(
      final IovaSpace space,
      final int stripe,
      final MapRequest request,
      final boolean deferred,
      final Placement answer) {
    final long limit = Need.limit(request.dmaMask);
    final long iova = space.lease(stripe, request.ioBytes, limit);
    if (iova == IovaSpace.NONE) {
      answer.refuse(why(space, request.ioBytes, limit));
    } else {
      answer.remap(iova, deferred);
    }
  }

  /** Why no range was to be had: too big for ever, out of the device's reach, or taken now. */
  static Refusal why(final IovaSpace space, final long bytes, final long limit) {
    final long most = space.last() - space.first() + 1; // a domain is below 2^63 bytes
    if (bytes > most) {
      return Refusal.TOO_BIG;
    }
    return space.first() + bytes - 1 > limit ? Refusal.MASK : Refusal.FULL;
  }
}
