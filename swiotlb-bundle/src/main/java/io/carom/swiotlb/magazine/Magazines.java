package io.carom.swiotlb.magazine;

import io.carom.dma.spi.Extent;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.RunMap;
import java.util.Arrays;

/**
 * The magazines of a stripe: for each number of slots up to a slot set a stack of runs that were
 * freed recently, newest on top. Guarded by the stripe's lock.
 *
 * <p>The top of each stack is in {@link #hot}, which {@link MagazinePool} reads and writes itself;
 * the rest is here. Every run of two slots or more begins on a page. A run here is taken as far as
 * the bitmap knows, so it neither joins its neighbours nor counts as free there; {@link #flush} and
 * {@link #decay} give it back.
 *
 * <p>Decay: what lay in a magazine from one decay to the next without being needed goes back. At a
 * decay the top moves down, so that a class in use shows by taking it up again.
 */
final class Magazines extends Padded {
  /** Position in {@link #hot} of the top of the class of no slots; each class is one further. */
  static final int TOPS = 16; // two cache lines of nothing before them

  /** Position in {@link #hot} of a number that is not 0 when a run was put into a magazine. */
  static final int DIRTY = TOPS;

  /** What stands for no run. */
  static final long NONE = -1;

  private static final int MOST_RUNS = 32;
  private static final int MOST_SLOTS = 1024; // 2 MiB of each class, but for the first eight runs
  private static final int LEAST_RUNS = 8;
  private static final int LOOK = 4;
  private static final int PAD = 16;
  private static final int INT_PAD = 32;

  /** Where the stack of a class begins, and of the class behind the last one. */
  private static final int[] FIRST = new int[Extent.SET_SLOTS + 2];

  static {
    FIRST[1] = PAD;
    for (int slots = 1; slots <= Extent.SET_SLOTS; slots++) {
      FIRST[slots + 1] = FIRST[slots] + Math.clamp(MOST_SLOTS / slots, LEAST_RUNS, MOST_RUNS);
    }
  }

  /** Tops of the classes, by slots, from {@link #TOPS} on. */
  final long[] hot = new long[TOPS + Extent.SET_SLOTS + 1 + PAD];

  private final long[] stacks = new long[FIRST[Extent.SET_SLOTS + 1] + PAD];
  private final int[] depths = new int[2 * INT_PAD + Extent.SET_SLOTS + 1];
  private final int[] lows = new int[2 * INT_PAD + Extent.SET_SLOTS + 1];
  private final RunMap runs;

  /** Runs in all stacks. */
  private int stacked;

  /** Empty ones, over a bitmap. */
  Magazines(final RunMap runs) {
    this.runs = runs;
    Arrays.fill(hot, NONE);
    hot[DIRTY] = 0;
  }

  /**
   * Takes a run of a class that suits a request, looking at the newest few.
   *
   * @return {@link #NONE} when there is none
   */
  long take(final int slots, final Fit fit) {
    final long top = hot[TOPS + slots];
    if (top >= 0 && fit.allows(top)) {
      hot[TOPS + slots] = NONE;
      return top;
    }
    final int depth = depths[INT_PAD + slots];
    final int newest = FIRST[slots] + depth - 1;
    final int least = Math.max(FIRST[slots], newest - LOOK + 1);
    for (int i = newest; i >= least; i--) {
      final long run = stacks[i];
      if (fit.allows(run)) {
        stacks[i] = stacks[newest];
        drop(slots, depth - 1);
        return run;
      }
    }
    return NONE;
  }

  private void drop(final int slots, final int depth) {
    stacked += depth - depths[INT_PAD + slots];
    depths[INT_PAD + slots] = depth;
    if (depth < lows[INT_PAD + slots]) {
      lows[INT_PAD + slots] = depth;
    }
  }

  /** Puts a run on top; what was there moves down, or goes back if the stack is full. */
  void push(final int slots, final long run) {
    final long top = hot[TOPS + slots];
    hot[TOPS + slots] = run;
    hot[DIRTY] = 1;
    if (top >= 0) {
      down(slots, top);
    }
  }

  private void down(final int slots, final long run) {
    final int depth = depths[INT_PAD + slots];
    final int at = FIRST[slots] + depth;
    if (at < FIRST[slots + 1]) {
      stacks[at] = run;
      depths[INT_PAD + slots] = depth + 1;
      stacked++;
    } else {
      runs.give(run, slots);
    }
  }

  /**
   * Gives all runs back.
   *
   * @return whether there were any
   */
  boolean flush() {
    if (hot[DIRTY] == 0) {
      return false;
    }
    hot[DIRTY] = 0;
    for (int slots = 1; slots <= Extent.SET_SLOTS; slots++) {
      final long top = hot[TOPS + slots];
      if (top >= 0) {
        hot[TOPS + slots] = NONE;
        runs.give(top, slots);
      }
    }
    for (int slots = 1; stacked > 0; slots++) {
      final int depth = depths[INT_PAD + slots];
      if (depth > 0) {
        giveOldest(slots, depth);
      }
    }
    return true;
  }

  /** Gives back what was not needed since the last call. */
  void decay() {
    if (hot[DIRTY] == 0) {
      return;
    }
    int left = 0;
    for (int slots = 1; slots <= Extent.SET_SLOTS; slots++) {
      final int low = lows[INT_PAD + slots];
      if (low > 0) {
        giveOldest(slots, low);
      }
      final long top = hot[TOPS + slots];
      if (top >= 0) {
        hot[TOPS + slots] = NONE;
        down(slots, top);
      }
      lows[INT_PAD + slots] = depths[INT_PAD + slots];
      left += depths[INT_PAD + slots];
    }
    hot[DIRTY] = left;
  }

  private void giveOldest(final int slots, final int count) {
    final int first = FIRST[slots];
    final int depth = depths[INT_PAD + slots];
    for (int i = 0; i < count; i++) {
      runs.give(stacks[first + i], slots);
    }
    System.arraycopy(stacks, first + count, stacks, first, depth - count);
    drop(slots, depth - count);
  }

  /** Forgets the runs of an extent. */
  void purge(final long from, final long to) {
    for (int slots = 1; slots <= Extent.SET_SLOTS; slots++) {
      final long top = hot[TOPS + slots];
      if (top >= from && top < to) {
        hot[TOPS + slots] = NONE;
      }
      final int first = FIRST[slots];
      int kept = 0;
      for (int i = 0; i < depths[INT_PAD + slots]; i++) {
        final long run = stacks[first + i];
        if (run < from || run >= to) {
          stacks[first + kept++] = run;
        }
      }
      drop(slots, kept);
    }
  }

  /** Slots in the magazines; without the lock a little old. */
  long slots() {
    long sum = 0;
    for (int slots = 1; slots <= Extent.SET_SLOTS; slots++) {
      final int runsOfClass = depths[INT_PAD + slots] + (hot[TOPS + slots] >= 0 ? 1 : 0);
      sum += (long) runsOfClass * slots;
    }
    return sum;
  }

  /** Slots of the longest run in a magazine; without the lock a little old. */
  int longest() {
    for (int slots = Extent.SET_SLOTS; slots > 0; slots--) {
      if (hot[TOPS + slots] >= 0 || depths[INT_PAD + slots] > 0) {
        return slots;
      }
    }
    return 0;
  }
}
