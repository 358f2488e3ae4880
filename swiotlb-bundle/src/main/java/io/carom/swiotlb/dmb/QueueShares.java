package io.carom.swiotlb.dmb;

/**
 * How many pages of an area each queue has, and how many are kept for others. Guarded by the
 * stripe's lock.
 *
 * <p>A part of the area is divided evenly among the queues that have ever mapped here and one more,
 * the next that will: that is a queue's reserve. A queue may take pages as long as those left over
 * suffice for what is missing of the others' reserves. So a queue that comes late finds a reserve,
 * however full the area is: when it comes shares get smaller, and what was kept for a newcomer was
 * a share of before. Reserves are pages, not runs: a single page is always to be had of one.
 */
final class QueueShares {
  private final int percent;
  private final int[] pages = new int[QueueIds.MOST];
  private final boolean[] seen = new boolean[QueueIds.MOST];

  /** Those that were seen, in the order of their coming. */
  private final short[] known = new short[QueueIds.MOST];

  private int count;

  QueueShares(final int percent) {
    this.percent = percent;
  }

  /**
   * Whether a queue may take more pages.
   *
   * @param queue its number, see {@link QueueIds}
   * @param free pages of the area that nobody has
   * @param all pages of the area
   */
  boolean allows(final int queue, final int wanted, final int free, final int all) {
    if (!seen[queue]) {
      seen[queue] = true;
      known[count++] = (short) queue;
    }
    return free - wanted >= kept(queue, all);
  }

  /** Pages that are missing of the reserves of all but one queue. */
  private int kept(final int queue, final int all) {
    final int reserve = (int) ((long) all * percent / 100 / (count + 1));
    int kept = reserve; // the next newcomer's
    for (int i = 0; i < count; i++) {
      final int other = known[i];
      if (other != queue) {
        kept += Math.max(0, reserve - pages[other]);
      }
    }
    return kept;
  }

  void took(final int queue, final int more) {
    pages[queue] += more;
  }

  void gave(final int queue, final int fewer) {
    pages[queue] -= fewer;
  }
}
