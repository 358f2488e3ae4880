package io.carom.dma.core.device;

import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationCell;

/** Sums over generations: what a device's counters are made of, so that they survive swaps. */
public final class ClosedCounts {
  private long maps;
  private long unmaps;
  private long bounced;
  private long copiedIn;
  private long copiedOut;
  private long lent;

  /** Nothing counted. */
  public ClosedCounts() {}

  /** Adds a generation's counts. */
  public synchronized void add(final Generation generation) {
    unmaps += generation.unmaps();
    maps += generation.allRemaps();
    for (final GenerationCell cell : generation.cells()) {
      maps += cell.bounced + cell.passed;
      bounced += cell.bounced;
      copiedIn += cell.copiedIn;
      copiedOut += cell.copiedOut;
      lent += cell.lent;
    }
  }

  /** The sums so far, as a new object that more can be added to. */
  public synchronized ClosedCounts copy() {
    final ClosedCounts copy = new ClosedCounts();
    copy.maps = maps;
    copy.unmaps = unmaps;
    copy.bounced = bounced;
    copy.copiedIn = copiedIn;
    copy.copiedOut = copiedOut;
    copy.lent = lent;
    return copy;
  }

  /** Successful maps. */
  public synchronized long maps() {
    return maps;
  }

  /** Unmaps. */
  public synchronized long unmaps() {
    return unmaps;
  }

  /** Bounced maps. */
  public synchronized long bounced() {
    return bounced;
  }

  /** Bytes copied in. */
  public synchronized long copiedIn() {
    return copiedIn;
  }

  /** Bytes copied back. */
  public synchronized long copiedOut() {
    return copiedOut;
  }

  /** Maps that a draining generation served. */
  public synchronized long lent() {
    return lent;
  }
}
