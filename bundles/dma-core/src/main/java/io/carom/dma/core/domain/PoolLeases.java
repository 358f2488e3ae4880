package io.carom.dma.core.domain;

import io.carom.dma.spi.IovaSpace;
import java.util.HashMap;
import java.util.Map;

/**
 * The addresses of a domain as one pool leases them. Large ranges, in which extents come and go,
 * stay leased until the pool has ended: a strategy whose code is gone may have extents that still
 * live there. Small ones are the mapping's or the extent's that they were leased for. Thread-safe.
 */
public final class PoolLeases implements IovaSpace {
  /** Ranges above this are kept until the pool ends. */
  private static final long LARGE = 1L << 20;

  private final IovaSpace domain;
  private final Map<Long, Long> ranges = new HashMap<>();

  PoolLeases(final IovaSpace domain) {
    this.domain = domain;
  }

  @Override
  public long granule() {
    return domain.granule();
  }

  @Override
  public long first() {
    return domain.first();
  }

  @Override
  public long last() {
    return domain.last();
  }

  @Override
  public long lease(final int stripe, final long bytes, final long limit) {
    final long iova = domain.lease(stripe, bytes, limit);
    if (iova != NONE && bytes > LARGE) {
      synchronized (ranges) {
        ranges.put(iova, bytes);
      }
    }
    return iova;
  }

  @Override
  public void giveBack(final int stripe, final long iova, final long bytes) {
    if (bytes <= LARGE) {
      domain.giveBack(stripe, iova, bytes);
    }
  }

  /** Whether an address lies in a range that is kept until the pool ends. */
  boolean inRange(final long iova) {
    synchronized (ranges) {
      for (final Map.Entry<Long, Long> range : ranges.entrySet()) {
        if (iova >= range.getKey() && iova - range.getKey() < range.getValue()) {
          return true;
        }
      }
      return false;
    }
  }

  /** The pool has ended and nothing of it is mapped. */
  public void end() {
    synchronized (ranges) {
      ranges.forEach((iova, bytes) -> domain.giveBack(0, iova, bytes));
      ranges.clear();
    }
  }
}
