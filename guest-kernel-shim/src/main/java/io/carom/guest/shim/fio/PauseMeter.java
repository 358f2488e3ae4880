package io.carom.guest.shim.fio;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The longest gap between two completions while a request was outstanding, over all jobs of a run.
 *
 * <p>The time of the last completion is shared by all jobs, and so is written at most once in
 * {@link #RESOLUTION_NS}: a pause is at most that much too long. The request that ends a gap counts
 * from its submission, so a time in which nothing was outstanding is no pause.
 */
final class PauseMeter {
  /** Exactness of a pause. */
  static final long RESOLUTION_NS = 10_000;

  private final AtomicLong last;

  private volatile long longest;

  PauseMeter(final long now) {
    this.last = new AtomicLong(now);
  }

  /** A request ended. */
  void completed(final long now, final long submitted) {
    final long before = last.getOpaque();
    if (now - before < RESOLUTION_NS) {
      return;
    }
    last.setOpaque(now);
    final long gap = now - (before - submitted > 0 ? before : submitted);
    if (gap > longest) {
      raise(gap);
    }
  }

  private synchronized void raise(final long gap) {
    if (gap > longest) {
      longest = gap;
    }
  }

  double longestMs() {
    return longest / 1e6;
  }
}
