package io.carom.dma.core.domain;

import io.carom.dma.spi.IovaSpace;
import java.util.HashMap;
import java.util.Map;

/**
 * The addresses of a domain as one pool leases them.
 *
 * <p>A range in which an extent still lives is not given back before the pool has ended, whatever
 * its strategy says: one whose bundle goes away closes while mappings live. One in which an extent
 * was lost is never given back. Ranges above {@link #LARGE}, in which extents come and go, are
 * known here from the start, as the code that would give them back may be gone by then; a mapping
 * that gets addresses of its own takes its range along ({@link #handOver}), and the core gives it
 * back. Thread-safe.
 */
public final class PoolLeases implements IovaSpace {
  /** Ranges above this are known from the start. */
  static final long LARGE = 1L << 20;

  private final IovaSpace domain;
  private final IovaExtents extents;
  private final Map<Long, Long> ranges = new HashMap<>(); // guarded by itself

  PoolLeases(final IovaSpace domain, final IovaExtents extents) {
    this.domain = domain;
    this.extents = extents;
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
    synchronized (ranges) {
      if (extents.any(iova, bytes)) {
        ranges.put(iova, bytes);
        return;
      }
      ranges.remove(iova);
    }
    domain.giveBack(stripe, iova, bytes);
  }

  /** A range is a mapping's from now on, if it was leased here. */
  void handOver(final long iova) {
    synchronized (ranges) {
      ranges.remove(iova);
    }
  }

  /** The pool has ended and nothing of it is mapped but what was lost. */
  public void end() {
    synchronized (ranges) {
      ranges.forEach(
          (iova, bytes) -> {
            if (!extents.any(iova, bytes)) {
              domain.giveBack(0, iova, bytes);
            }
          });
      ranges.clear();
    }
  }
}
