package io.carom.swiotlb.dmb;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.SlotSearch;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One area: pages of the slot sets of one stripe, 64 to a set. Guarded by the stripe's lock.
 *
 * <p>A search begins behind the last run, goes on to the end and begins again at the start; a run
 * that is freed in front of that place takes it back there, so that the same pages are used again.
 *
 * <p>In the shared scheme a run of one slot takes half of a page. The other half is for the next
 * such run of the same queue: the core keeps one record for each slot of 2 KiB, so two runs can
 * share a page and more cannot. A device reaches bytes of its region by the page or more coarsely,
 * so what lies in the other half is within its reach either way; that it is the same queue's keeps
 * buffers of different users of one device apart.
 */
final class PageArea extends Padded {
  private static final int PAGES = 64;
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE_BITS = 6;
  private static final int FEW = 4;
  private static final int NONE = -1;
  private static final byte BOTH = 3;

  private final @Nullable QueueShares shares;
  private long[] bases = new long[FEW];

  /** For each set its free pages. */
  private long[] free = new long[FEW];

  /** For each page the queue of the run that begins there, or that shares it. */
  private short[] owners = new short[FEW * PAGES];

  /** For each page that is shared which of its slots are taken: bit 0, bit 1; else 0. */
  private byte[] halves = new byte[FEW * PAGES];

  /** Pages of a queue with one slot free: a list through {@link #after} and {@link #before}. */
  private final int[] halfFree = new int[QueueIds.MOST];

  private int[] after = new int[FEW * PAGES];
  private int[] before = new int[FEW * PAGES];
  private int sets;
  private int freePages;
  private int used;

  /** Where the next search begins: a page, counted over all sets. */
  private int hint;

  /**
   * An area without sets.
   *
   * @param shares of the queues, or null for the plain scheme
   */
  PageArea(final @Nullable QueueShares shares) {
    this.shares = shares;
    Arrays.fill(halfFree, NONE);
  }

  /** Adds the sets of an extent. */
  void grant(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      if (sets == bases.length) {
        grow();
      }
      bases[sets] = base;
      free[sets] = -1L;
      sets++;
      freePages += PAGES;
    }
  }

  private void grow() {
    final int size = 2 * sets;
    bases = Arrays.copyOf(bases, size);
    free = Arrays.copyOf(free, size);
    owners = Arrays.copyOf(owners, size * PAGES);
    halves = Arrays.copyOf(halves, size * PAGES);
    after = Arrays.copyOf(after, size * PAGES);
    before = Arrays.copyOf(before, size * PAGES);
  }

  /**
   * Removes the sets of an extent without mappings. The last set moves to where one was.
   *
   * @throws IllegalStateException when it does not have one of them
   */
  void retract(final Extent extent) {
    for (long base = extent.busAddress(); base < extent.end(); base += Extent.SET_SIZE) {
      final int set = find(base);
      sets--;
      freePages -= PAGES;
      if (set != sets) {
        move(sets, set);
      }
      if (hint >= sets * PAGES) {
        hint = 0;
      }
    }
  }

  private void move(final int from, final int to) {
    bases[to] = bases[from];
    free[to] = free[from];
    for (int i = 0; i < PAGES; i++) {
      final int old = from * PAGES + i;
      final int now = to * PAGES + i;
      final int queue = owners[old];
      final byte taken = halves[old];
      if (taken == 1 || taken == 2) {
        unlink(queue, old);
        link(queue, now);
      }
      owners[now] = owners[old];
      halves[now] = taken;
      halves[old] = 0;
    }
  }

  private int find(final long base) {
    for (int set = 0; set < sets; set++) {
      if (bases[set] == base) {
        return set;
      }
    }
    throw new IllegalStateException("no slot set at 0x" + Long.toHexString(base) + " in this area");
  }

  /**
   * Places a run, or refuses as FULL or FRAGMENTED.
   *
   * @param queue number of the queue that the buffer is for, see {@link QueueIds}
   */
  void allocate(final Fit fit, final int queue, final Placement answer) {
    final QueueShares of = shares;
    if (of != null && fit.slots() == 1 && inHalf(queue, fit, answer)) {
      return;
    }
    final int lead = Math.max(0, fit.parity()); // a run may have to begin in the middle of a page
    final int pages = (lead + fit.slots() + 1) >> 1;
    if (pages > freePages || (of != null && !of.allows(queue, pages, freePages, sets * PAGES))) {
      answer.refuse(Refusal.FULL);
      return;
    }
    final int all = sets * PAGES;
    int page = pages > PAGES ? NONE : search(hint, all, pages, lead, fit);
    if (page == NONE && pages <= PAGES) {
      page = search(0, Math.min(all, hint + pages), pages, lead, fit);
    }
    if (page == NONE) {
      answer.refuse(Refusal.FRAGMENTED);
      return;
    }
    free[page >> PAGE_BITS] ^= mask(page, pages);
    freePages -= pages;
    hint = page + pages == all ? 0 : page + pages;
    owners[page] = (short) queue;
    if (of != null) {
      of.took(queue, pages);
    }
    final long run = address(page);
    if (of != null && fit.slots() == 1) {
      halves[page] = (byte) (1 << lead);
      link(queue, page);
      place(run, lead, fit, answer);
    } else {
      used += 2 * pages;
      answer.bounce(
          run + ((long) lead << Extent.SLOT_SHIFT) + fit.offset(), run, (long) pages << PAGE_SHIFT);
    }
  }

  /** Places a run of one slot in the free half of a page of its queue, if one suits. */
  private boolean inHalf(final int queue, final Fit fit, final Placement answer) {
    for (int page = halfFree[queue]; page != NONE; page = after[page]) {
      final int half = halves[page] == 1 ? 1 : 0;
      if (fit.allows(address(page) + ((long) half << Extent.SLOT_SHIFT))) {
        unlink(queue, page);
        halves[page] = BOTH;
        place(address(page), half, fit, answer);
        return true;
      }
    }
    return false;
  }

  private void place(final long page, final int half, final Fit fit, final Placement answer) {
    used++;
    final long run = page + ((long) half << Extent.SLOT_SHIFT);
    answer.bounce(run + fit.offset(), run, Extent.SLOT_SIZE);
  }

  /** The first page from one on, below another, at which a run may begin. */
  private int search(
      final int from, final int end, final int pages, final int lead, final Fit fit) {
    for (int set = from >> PAGE_BITS; set < sets && set * PAGES < end; set++) {
      long starts = SlotSearch.startsWithin(free[set], pages);
      if (set == from >> PAGE_BITS) {
        starts &= -1L << from;
      }
      for (; starts != 0; starts &= starts - 1) {
        final int page = set * PAGES + Long.numberOfTrailingZeros(starts);
        if (fit.allows(address(page) + ((long) lead << Extent.SLOT_SHIFT))) {
          return page;
        }
      }
    }
    return NONE;
  }

  private static long mask(final int page, final int pages) {
    return -1L >>> -pages << page; // 1..64 pages within one word
  }

  private long address(final int page) {
    return bases[page >> PAGE_BITS] + ((long) (page & (PAGES - 1)) << PAGE_SHIFT);
  }

  /** Frees a run. */
  void release(final long runAddress, final long runBytes) {
    final int set = find(runAddress & -Extent.SET_SIZE);
    final int page = set * PAGES + (int) ((runAddress & (Extent.SET_SIZE - 1)) >> PAGE_SHIFT);
    final int queue = owners[page];
    used -= (int) (runBytes >> Extent.SLOT_SHIFT);
    if (halves[page] != 0) {
      final int half = (int) (runAddress >> Extent.SLOT_SHIFT) & 1;
      final boolean full = halves[page] == BOTH;
      halves[page] &= (byte) ~(1 << half);
      if (full) {
        link(queue, page);
        return;
      }
      unlink(queue, page);
    }
    final int pages = Math.max(1, (int) (runBytes >> PAGE_SHIFT));
    free[set] |= mask(page, pages);
    freePages += pages;
    if (shares != null) {
      shares.gave(queue, pages);
    }
    if (page < hint) {
      hint = page;
    }
  }

  private void link(final int queue, final int page) {
    final int first = halfFree[queue];
    after[page] = first;
    before[page] = NONE;
    if (first != NONE) {
      before[first] = page;
    }
    halfFree[queue] = page;
  }

  private void unlink(final int queue, final int page) {
    if (before[page] == NONE) {
      halfFree[queue] = after[page];
    } else {
      after[before[page]] = after[page];
    }
    if (after[page] != NONE) {
      before[after[page]] = before[page];
    }
  }

  /** Slots in use; without the lock a little old. */
  int usedSlots() {
    return used;
  }

  /** Slots of all sets; without the lock a little old. */
  int totalSlots() {
    return sets * Extent.SET_SLOTS;
  }

  /** Largest run of free pages, in bytes; without the lock a little old. */
  long largestFreeRun() {
    final long[] now = free;
    final int count = Math.min(sets, now.length);
    int best = 0;
    for (int i = 0; i < count; i++) {
      int length = 0;
      for (long bits = now[i]; bits != 0; bits &= bits << 1) {
        length++;
      }
      best = Math.max(best, length);
    }
    return (long) best << PAGE_SHIFT;
  }
}
