package io.carom.dma.core.iova;

import io.carom.dma.core.pool.StripeLock;

/**
 * One ring of a {@link FlushQueue}; all under its lock, but the reports, which are a little old.
 */
final class FlushRing extends StripeLock {
  private static final int BATCH = 64;

  private final long[] iovas;
  private final long[] sizes;
  private final long[] stamps;
  private final long[] times;
  private final int stripe;
  private int head;
  private int used;
  private boolean retired;
  private long covered;
  private long sumNs;
  private long longestNs;

  FlushRing(final int stripe, final int entries) {
    this.stripe = stripe;
    iovas = new long[entries];
    sizes = new long[entries];
    stamps = new long[entries];
    times = new long[entries];
  }

  boolean retired() {
    return retired;
  }

  boolean full() {
    return used == iovas.length;
  }

  int used() {
    return used;
  }

  /** When the oldest was added; only if there is one. */
  long oldestNs() {
    return times[head];
  }

  void add(final long iova, final long bytes, final long stamp, final long now) {
    int at = head + used;
    if (at >= iovas.length) { // both below 2^30
      at -= iovas.length;
    }
    iovas[at] = iova;
    sizes[at] = bytes;
    stamps[at] = stamp;
    times[at] = now;
    used++;
  }

  /** No one adds to it any more. Takes the lock. */
  void retire() {
    lock(Thread.currentThread().threadId());
    retired = true;
    unlock();
  }

  /**
   * Gives back what flushes have covered. Takes the lock, and leaves it now and then, so that those
   * who add do not wait for a whole ring; what is taken out is given back before the lock is left.
   */
  void reap(final FlushQueue queue) {
    boolean more = true;
    while (more) {
      lock(Thread.currentThread().threadId());
      try {
        more = reapSome(queue);
      } finally {
        unlock();
      }
    }
  }

  private boolean reapSome(final FlushQueue queue) {
    for (int i = 0; i < BATCH; i++) {
      if (used == 0 || !queue.covered(stamps[head])) {
        return false;
      }
      final long iova = iovas[head];
      final long bytes = sizes[head];
      final long openNs = queue.coveredAt(stamps[head]) - times[head];
      head = head + 1 == iovas.length ? 0 : head + 1;
      used--;
      if (queue.giveBack(stripe, iova, bytes)) {
        covered++;
        sumNs += openNs;
        longestNs = Math.max(longestNs, openNs);
      }
    }
    return true;
  }

  long reaped() {
    return covered;
  }

  long sumNs() {
    return sumNs;
  }

  long longestNs() {
    return longestNs;
  }
}
