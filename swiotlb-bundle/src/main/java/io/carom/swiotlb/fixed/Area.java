package io.carom.swiotlb.fixed;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.FreeRuns;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.RunBounds;
import io.carom.swiotlb.slots.SlotSearch;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One area: the slot sets of one stripe, in the order of their addresses. Guarded by the stripe's
 * lock. Free slots are bits, so that neither a map nor an unmap renumbers what precedes it; what is
 * found is what the kernel's run lengths would find.
 *
 * <p>For each set a bound of its longest free run is kept, apart for runs that begin at even slots
 * (where pages begin) and at odd ones. Sets that cannot hold a run are not looked at, and that no
 * set can is seen at once. A map leaves the bounds alone, as it only makes runs shorter; an unmap
 * raises one if the run that it joins is longer; a search that fails in a set makes its bounds
 * exact. So each failure is paid for once, however often it is tried again, and a pool that is
 * nearly empty, where all bounds are at the top, pays nothing.
 */
public final class Area extends Padded {
  private static final int FULL = Extent.SET_SLOTS;
  private static final int WORD = 64;
  private static final int TAIL = 8; // longs of a cache line that no other area's array begins in

  private final SlotSearch search = new SlotSearch();
  private final Fitting fitting;
  private final @Nullable RecentRuns recent;
  private final RunBounds even = new RunBounds();
  private final RunBounds odd = new RunBounds();
  private long[] bases = new long[TAIL];

  /** Two words for each set: slots 0 to 63, and 64 to 127. */
  private long[] words = new long[TAIL];

  private int sets;
  private int distanceShift = Extent.SET_SHIFT;
  private int used;

  /** Where the next search begins: a slot number, counted over all sets. */
  private int next;

  /**
   * An area without sets.
   *
   * @param fitting how it searches, not {@link Fitting#AUTO}
   */
  public Area(final Fitting fitting) {
    this.fitting = fitting;
    recent = fitting == Fitting.LIFO ? new RecentRuns() : null;
  }

  /** Adds the sets of an extent. */
  public void grant(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      insert(base);
    }
  }

  private void insert(final long base) {
    int at = sets;
    while (at > 0 && bases[at - 1] > base) {
      at--;
    }
    if (sets + TAIL == bases.length) {
      bases = Arrays.copyOf(bases, TAIL + Math.max(4, sets * 2));
    }
    if (2 * sets + TAIL == words.length) {
      words = Arrays.copyOf(words, TAIL + Math.max(8, sets * 4));
    }
    System.arraycopy(bases, at, bases, at + 1, sets - at);
    System.arraycopy(words, 2 * at, words, 2 * at + 2, 2 * (sets - at));
    bases[at] = base;
    words[2 * at] = -1L;
    words[2 * at + 1] = -1L;
    even.insert(at, FULL);
    odd.insert(at, FULL - 1);
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

  /** Whether it has the set that an address lies in. */
  public boolean has(final long address) {
    return find(address & -Extent.SET_SIZE) >= 0;
  }

  /**
   * Removes the sets of an extent without mappings.
   *
   * @throws IllegalStateException when it does not have one of them
   */
  public void retract(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      final int set = find(base);
      if (set < 0) {
        throw new IllegalStateException(
            "no slot set at 0x" + Long.toHexString(base) + " in this area");
      }
      remove(set);
    }
  }

  private void remove(final int at) {
    System.arraycopy(bases, at + 1, bases, at, sets - at - 1);
    System.arraycopy(words, 2 * at + 2, words, 2 * at, 2 * (sets - at - 1));
    even.remove(at);
    odd.remove(at);
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

  /**
   * Places a run, or refuses as FULL or FRAGMENTED.
   *
   * @return whether it placed it
   */
  public boolean allocate(final Fit fit, final Placement answer) {
    final int count = fit.slots();
    if (count > sets * FULL - used) {
      answer.refuse(Refusal.FULL);
      return false;
    }
    if (recent != null && again(recent, fit, answer)) {
      return true;
    }
    return inWord(fit, count, answer) || elsewhere(next >> 7, next & (FULL - 1), fit, answer);
  }

  /** The shortest way for what is common: a run in the word of the hint, behind it. */
  private boolean inWord(final Fit fit, final int count, final Placement answer) {
    if (count > WORD || fit.wide()) {
      return false;
    }
    final int word = next >> 6;
    final long bits =
        SlotSearch.startsWithin(words[word], count) & fit.starts() & -1L << next; // next & 63
    if (bits == 0) {
      return false;
    }
    final int slot = Long.numberOfTrailingZeros(bits);
    words[word] ^= -1L >>> -count << slot;
    took((word << 6) + slot, count, fit, answer);
    return true;
  }

  /**
   * From the hint to the end of its set, on to the end of the area, around, and last the hint's set
   * from its beginning.
   */
  private boolean elsewhere(final int hint, final int from, final Fit fit, final Placement answer) {
    if (seemsToHave(fit)) {
      if (from != 0 || mayHave(hint, fit)) {
        final int slot = findIn(hint, fit, from);
        if (slot >= 0) {
          take(hint, slot, fit, answer);
          return true;
        }
      }
      if (search(hint + 1, sets, fit, answer) || search(0, hint + 1, fit, answer)) {
        return true;
      }
    }
    answer.refuse(Refusal.FRAGMENTED);
    return false;
  }

  private boolean search(final int from, final int end, final Fit fit, final Placement answer) {
    int set = nextSet(fit, from);
    while (set >= 0 && set < end) {
      final int slot = findIn(set, fit, 0);
      if (slot >= 0) {
        take(set, slot, fit, answer);
        return true;
      }
      set = nextSet(fit, set + 1);
    }
    return false;
  }

  private boolean mayHave(final int set, final Fit fit) {
    return (fit.even() && even.get(set) >= fit.slots())
        || (fit.odd() && odd.get(set) >= fit.slots());
  }

  private int nextSet(final Fit fit, final int from) {
    final int atEven = fit.even() ? even.next(from, fit.slots()) : -1;
    final int atOdd = fit.odd() ? odd.next(from, fit.slots()) : -1;
    // as unsigned numbers, -1 for none is the largest
    return Integer.compareUnsigned(atEven, atOdd) < 0 ? atEven : atOdd;
  }

  /**
   * Whether, for all that the summary knows, there is a run; when there is not, an allocation fails
   * for sure. May be asked without the lock and is a little old then.
   */
  public boolean seemsToHave(final Fit fit) {
    final int count = fit.slots();
    return count <= sets * FULL - used
        && ((fit.even() && even.any(count)) || (fit.odd() && odd.any(count)));
  }

  private int findIn(final int set, final Fit fit, final int from) {
    final long low = words[2 * set];
    final long high = words[2 * set + 1];
    search.starts(low, high, fit.slots());
    search.keep(fit.starts());
    int slot = search.next(from);
    if (slot < 0) {
      if (from == 0 && set < sets) {
        final int longest = FreeRuns.longestByParity(low, high);
        even.set(set, longest >> 8);
        odd.set(set, longest & 0xff);
      }
      return -1;
    }
    if (fit.wide()) {
      while (slot >= 0 && !fit.allows(bases[set] + ((long) slot << Extent.SLOT_SHIFT))) {
        slot = search.next(slot + 1);
      }
    }
    return slot;
  }

  private void take(final int set, final int slot, final Fit fit, final Placement answer) {
    flip(2 * set, slot, fit.slots());
    took(set * FULL + slot, fit.slots(), fit, answer);
  }

  private void took(final int slot, final int count, final Fit fit, final Placement answer) {
    used += count;
    if (fitting == Fitting.NEXT) {
      final int end = slot + count;
      next = end >= sets * FULL ? 0 : end;
    }
    final long run = bases[slot >> 7] + ((long) (slot & (FULL - 1)) << Extent.SLOT_SHIFT);
    answer.bounce(run + fit.offset(), run, (long) count << Extent.SLOT_SHIFT);
  }

  /** Takes the run of this length that was freed last among those that fit. */
  private boolean again(final RecentRuns runs, final Fit fit, final Placement answer) {
    final int count = fit.slots();
    int age = 0;
    while (age < runs.count(count)) {
      final long run = runs.get(count, age);
      final int set = find(run & -Extent.SET_SIZE);
      final int slot = (int) (run & (Extent.SET_SIZE - 1)) >> Extent.SLOT_SHIFT;
      if (set < 0 || !free(set, slot, count)) {
        runs.remove(count, age);
      } else if ((fit.starts() >>> slot & 1) != 0 && (!fit.wide() || fit.allows(run))) {
        runs.remove(count, age);
        take(set, slot, fit, answer);
        return true;
      } else {
        age++;
      }
    }
    return false;
  }

  private boolean free(final int set, final int slot, final int count) {
    final long low = words[2 * set];
    final long high = words[2 * set + 1];
    return FreeRuns.next(low, high, slot) == slot && FreeRuns.end(low, high, slot) >= slot + count;
  }

  /**
   * Frees a run.
   *
   * @return false when it lies in none of the area's sets
   */
  public boolean release(final long runAddress, final long runBytes) {
    final int set = find(runAddress & -Extent.SET_SIZE);
    if (set < 0) {
      return false;
    }
    final int slot = (int) (runAddress & (Extent.SET_SIZE - 1)) >> Extent.SLOT_SHIFT;
    final int count = (int) (runBytes >> Extent.SLOT_SHIFT);
    flip(2 * set, slot, count);
    used -= count;
    if (even.get(set) != FULL) { // then the other is at its top as well
      raise(set, slot, count);
    }
    if (recent != null) {
      recent.push(count, runAddress);
    }
    return true;
  }

  private void raise(final int set, final int slot, final int count) {
    final long low = words[2 * set];
    final long high = words[2 * set + 1];
    final int start = FreeRuns.start(low, high, slot);
    final int run = FreeRuns.end(low, high, slot + count) - start;
    final int first = start & 1; // one slot less for runs that begin at the other kind of slot
    if (run - first > even.get(set)) {
      even.set(set, run - first);
    }
    if (run - 1 + first > odd.get(set)) {
      odd.set(set, run - 1 + first);
    }
  }

  private void flip(final int firstWord, final int slot, final int count) {
    final int last = slot + count - 1;
    if (slot >> 6 == last >> 6) {
      words[firstWord + (slot >> 6)] ^= -1L >>> -count << slot;
    } else {
      words[firstWord] ^= -1L << slot;
      words[firstWord + 1] ^= -1L >>> ~last; // the bits up to the last slot's
    }
  }

  /** The set that begins at an address, or a negative number. */
  private int find(final long base) {
    // The core deals sets out to the areas in turn, so those of one are mostly as far apart as the
    // first two: the guess is right unless extents have come and gone.
    final long guess = sets == 0 ? -1 : (base - bases[0]) >> distanceShift;
    if (guess >= 0 && guess < sets && bases[(int) guess] == base) {
      return (int) guess;
    }
    return Arrays.binarySearch(bases, 0, sets, base);
  }

  /** Slots in use; without the lock a little old. */
  public int usedSlots() {
    return used;
  }

  /** Slots of all sets; without the lock a little old. */
  public int totalSlots() {
    return sets * FULL;
  }

  /**
   * Largest run of free slots, in bytes. Called without the lock: it reads what may be a little
   * old.
   */
  public long largestFreeRun() {
    final long[] now = words;
    final int count = Math.min(2 * sets, now.length);
    int best = 0;
    for (int i = 0; i + 1 < count && best < FULL; i += 2) {
      best = Math.max(best, FreeRuns.longest(now[i], now[i + 1]));
    }
    return (long) best << Extent.SLOT_SHIFT;
  }
}
