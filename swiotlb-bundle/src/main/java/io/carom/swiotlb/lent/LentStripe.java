package io.carom.swiotlb.lent;

import io.carom.dma.DmaAttributes;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.RunMap;
import io.carom.swiotlb.slots.RunTable;

/**
 * One stripe: a range of slots, mappings from its lower end up, lent pages from its upper end down.
 * Guarded by the stripe's lock.
 *
 * <p>Two marks govern the lending. When less than the low mark is free, pages are wanted back until
 * twice that is; and nothing is lent that would leave less than that, so that lending and wanting
 * back do not chase each other. A request that found no room wants back at least its own size.
 * Nothing is lent while something is wanted back.
 */
final class LentStripe extends Padded {
  private static final int ALL = 100;
  private static final long PAGE = 4096;

  private final RunMap runs = new RunMap();
  private final RunTable lendings = new RunTable();
  private final Fit fit = new Fit();
  private final int lowPercent;
  private final int lendPercent;

  private int lendingCount;
  private long lent; // slots

  /** How many slots are to be free before wanting back ends; 0 when nothing is wanted back. */
  private long target;

  LentStripe(final int lowPercent, final int lendPercent) {
    this.lowPercent = lowPercent;
    this.lendPercent = lendPercent;
  }

  void grant(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      runs.add(base, (int) (Math.min(Extent.SET_SIZE, extent.end() - base) >> Extent.SLOT_SHIFT));
    }
  }

  void retract(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      runs.remove(base);
    }
  }

  void allocate(final MapRequest request, final Placement answer) {
    if (!fit.of(request)) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    final int count = fit.slots();
    final long run = runs.take(fit);
    if (run >= 0) {
      answer.bounce(run + fit.offset(), run, (long) count << Extent.SLOT_SHIFT);
      return;
    }
    if (lent > 0) {
      target = Math.max(target, runs.freeSlots() + count);
      if ((request.attributes & DmaAttributes.MAY_SLEEP) != 0) {
        answer.refuse(Refusal.THROTTLED);
        return;
      }
    }
    answer.refuse(count > runs.freeSlots() ? Refusal.FULL : Refusal.FRAGMENTED);
  }

  void release(final long runAddress, final long runBytes) {
    final int count = (int) (runBytes >> Extent.SLOT_SHIFT); // a slot set at most
    runs.give(runAddress, count);
    if (lent > 0 && lendings.remove(runAddress) != RunTable.NONE) {
      lent -= count;
      lendingCount--;
    }
  }

  /** Lends whole pages in one run, at most a slot set; -1 when it does not. */
  long lend(final long bytes) {
    if (bytes <= 0 || bytes > Extent.SET_SIZE || bytes % PAGE != 0) {
      return -1;
    }
    final int count = (int) (bytes >> Extent.SLOT_SHIFT);
    final long total = runs.totalSlots();
    if (target != 0
        || (lent + count) * ALL > total * lendPercent
        || runs.freeSlots() - count < 2 * low()) {
      return -1;
    }
    final long run = runs.takeHighest(count);
    if (run >= 0) {
      lendingCount++;
      lendings.reserve(lendingCount);
      lendings.put(run, count);
      lent += count;
    }
    return run;
  }

  /** Slots below which too few are free, rounded up. */
  private long low() {
    return (runs.totalSlots() * lowPercent + ALL - 1) / ALL;
  }

  /** Bytes of what is lent that it wants back. */
  long wantedBack() {
    final long free = runs.freeSlots();
    if (free < low()) {
      target = Math.max(target, 2 * low());
    }
    if (lent == 0 || free >= target) {
      target = 0;
      return 0;
    }
    // Slots are lent in pages, and wanted back in pages.
    return Math.min(lent, (target - free + 1) & -2) << Extent.SLOT_SHIFT;
  }

  long usedSlots() {
    return Math.max(0, runs.totalSlots() - runs.freeSlots() - lent);
  }

  long totalSlots() {
    return runs.totalSlots();
  }

  long largestFreeRun() {
    return (long) runs.longestRun() << Extent.SLOT_SHIFT;
  }
}
