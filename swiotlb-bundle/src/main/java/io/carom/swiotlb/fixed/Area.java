package io.carom.swiotlb.fixed;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.SlotSearch;
import java.util.Arrays;

/**
 * One area: the slot sets of one stripe, in the order of their addresses, searched next fit or
 * first fit. Guarded by the stripe's lock. Free slots are bits, so that neither a map nor an unmap
 * renumbers what precedes it; what is found is what the kernel's run lengths would find.
 */
final class Area {
  private static final int FULL = Extent.SET_SLOTS;

  private final SlotSearch search = new SlotSearch();
  private final Fit fit = new Fit();
  private long[] bases = new long[0];
  private long[] low = new long[0];
  private long[] high = new long[0];
  private int sets;
  private int distanceShift = Extent.SET_SHIFT;
  private int used;

  /** Where the next search begins: a slot number, counted over all sets. */
  private int next;

  private final Fitting fitting;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad0;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad1;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad2;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad3;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad4;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad5;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad6;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad7;

  Area(final Fitting fitting) {
    this.fitting = fitting;
  }

  void grant(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      insert(base);
    }
  }

  private void insert(final long base) {
    int at = sets;
    while (at > 0 && bases[at - 1] > base) {
      at--;
    }
    if (sets == bases.length) {
      final int size = Math.max(4, sets * 2);
      bases = Arrays.copyOf(bases, size);
      low = Arrays.copyOf(low, size);
      high = Arrays.copyOf(high, size);
    }
    System.arraycopy(bases, at, bases, at + 1, sets - at);
    System.arraycopy(low, at, low, at + 1, sets - at);
    System.arraycopy(high, at, high, at + 1, sets - at);
    bases[at] = base;
    low[at] = -1L;
    high[at] = -1L;
    sets++;
    measure();
    if (next >= at * FULL && next != 0) {
      next += FULL; // the search goes on where it would have
    }
  }

  private void measure() {
    if (sets > 1) {
      distanceShift = Long.numberOfTrailingZeros(bases[1] - bases[0]); // right if a power of two
    }
  }

  void retract(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      remove(find(base));
    }
  }

  private void remove(final int at) {
    System.arraycopy(bases, at + 1, bases, at, sets - at - 1);
    System.arraycopy(low, at + 1, low, at, sets - at - 1);
    System.arraycopy(high, at + 1, high, at, sets - at - 1);
    sets--;
    measure();
    if (next >= (at + 1) * FULL) {
      next -= FULL;
    } else if (next > at * FULL) {
      next = at * FULL;
    }
    if (next >= sets * FULL) {
      next = 0;
    }
  }

  void allocate(final MapRequest request, final Placement answer) {
    if (!fit.of(request)) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    final int count = fit.slots();
    if (count > sets * FULL - used) {
      answer.refuse(Refusal.FULL);
      return;
    }
    final int firstSet = next >> 7;
    final int firstSlot = next & (FULL - 1);
    // From the hint to the end, around, and last the part of the first set before the hint.
    for (int i = 0; i <= sets; i++) {
      int set = firstSet + i;
      if (set >= sets) {
        set -= sets;
      }
      final int from = i == 0 ? firstSlot : 0;
      final int slot = findIn(set, count, from);
      if (slot >= 0) {
        take(set, slot, count, answer);
        return;
      }
    }
    answer.refuse(Refusal.FRAGMENTED);
  }

  private int findIn(final int set, final int count, final int from) {
    if ((low[set] | high[set]) == 0) {
      return -1;
    }
    search.starts(low[set], high[set], count);
    int slot = search.next(from);
    while (slot >= 0 && !fit.allows(bases[set] + ((long) slot << Extent.SLOT_SHIFT))) {
      slot = search.next(slot + 1);
    }
    return slot;
  }

  private void take(final int set, final int slot, final int count, final Placement answer) {
    flip(set, slot, count);
    used += count;
    if (fitting == Fitting.NEXT) {
      next = set * FULL + slot + count;
      if (next >= sets * FULL) {
        next = 0;
      }
    }
    final long run = bases[set] + ((long) slot << Extent.SLOT_SHIFT);
    answer.bounce(run + fit.offset(), run, (long) count << Extent.SLOT_SHIFT);
  }

  void release(final long runAddress, final long runBytes) {
    final int set = find(runAddress & -Extent.SET_SIZE);
    final int slot = (int) (runAddress & (Extent.SET_SIZE - 1)) >> Extent.SLOT_SHIFT;
    final int count = (int) (runBytes >> Extent.SLOT_SHIFT);
    flip(set, slot, count);
    used -= count;
  }

  private void flip(final int set, final int slot, final int count) {
    final int end = slot + count;
    if (slot < 64) {
      low[set] ^= bits(slot, Math.min(end, 64));
    }
    if (end > 64) {
      high[set] ^= bits(Math.max(slot, 64) - 64, end - 64);
    }
  }

  /** Bits {@code [from, to)} of a word, {@code 0 <= from < to <= 64}. */
  private static long bits(final int from, final int to) {
    return -1L >>> (64 - (to - from)) << from;
  }

  private int find(final long base) {
    // The core deals sets out to the areas in turn, so those of one are mostly as far apart as the
    // first two: the guess is right unless extents have come and gone.
    final long guess = sets == 0 ? -1 : (base - bases[0]) >> distanceShift;
    if (guess >= 0 && guess < sets && bases[(int) guess] == base) {
      return (int) guess;
    }
    final int found = Arrays.binarySearch(bases, 0, sets, base);
    if (found < 0) {
      throw new IllegalStateException(
          "no slot set at 0x" + Long.toHexString(base) + " in this area");
    }
    return found;
  }

  int usedSlots() {
    return used;
  }

  int totalSlots() {
    return sets * FULL;
  }

  /**
   * Largest run of free slots, in bytes. Called without the lock: it reads what may be a little
   * old, and works on a search of its own, as the area's belongs to the holder of the lock.
   */
  long largestFreeRun() {
    final long[] lows = low;
    final long[] highs = high;
    final int count = Math.min(sets, Math.min(lows.length, highs.length));
    final SlotSearch own = new SlotSearch();
    int best = 0;
    for (int set = 0; set < count && best < FULL; set++) {
      own.starts(lows[set], highs[set], best + 1);
      while (best < FULL && own.next(0) >= 0) {
        best++;
        if (best < FULL) {
          own.starts(lows[set], highs[set], best + 1);
        }
      }
    }
    return (long) best << Extent.SLOT_SHIFT;
  }
}
