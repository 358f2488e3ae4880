package io.carom.iommu.host.endpoint;

import io.carom.iommu.host.table.Pte;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * The translations that an endpoint used last: direct-mapped, by granule. It is filled by walks and
 * must be invalidated by whoever changes what they would find.
 *
 * <p><b>Reading.</b> A slot is a sequence number, a granule and an entry. The number is odd while a
 * thread changes the slot, and counts up. A reader takes granule and entry for a pair if the number
 * was even before and is the same after: the loads in between can neither rise above the first
 * (acquire) nor sink below the second (a fence). So a pair is never mixed from two, whatever
 * addresses a guest chooses. Who finds the number odd walks.
 *
 * <p><b>No stale entry comes back.</b> A thread that walks may be overtaken by an invalidation
 * between its walk and its store. It loads {@code generation}, then walks, then locks the slot,
 * stores, and, still holding it, loads {@code generation} again: if it moved the entry is taken
 * back. Who invalidates changes the page table (or the endpoint's domain), then counts up {@code
 * generation}, then locks each slot in question and drops what is in it. Take a walk that found the
 * old page. It did not see the change, so it loaded {@code generation} before it was counted up.
 * Either it holds the slot before the invalidator does, who then finds the entry and drops it; or
 * after, and then it sees the new generation and takes the entry back. In both cases the entry is
 * gone when the invalidation returns, and for good. A walk that found the new state may lose its
 * entry by this, never more.
 *
 * <p><b>Accesses under way.</b> A reader that has its entry may still use it after that. That is
 * not the cache's to wait for: every access is inside a section of a bus port, and the IOMMU asks
 * the port to wait for those ({@code BusPorts.invalidated}) after it has dropped the entries here.
 */
public final class Iotlb {
  private static final int SLOT_BITS = 10;

  /** Number of slots. */
  static final int SLOTS = 1 << SLOT_BITS;

  private static final int WORDS = 4; // three and a spare one: a power of two
  private static final int PAGE = 1;
  private static final int ENTRY = 2;
  private static final int SPINS = 100;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] words = new long[SLOTS * WORDS];
  private final AtomicLong generation = new AtomicLong();
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder dropped = new LongAdder();

  /**
   * Looks an address up.
   *
   * @return its entry, or {@link Pte#NONE}: then walk
   */
  long get(final long address) {
    final long page = address >>> Pte.GRANULE_SHIFT;
    final int slot = slot(page);
    final long before = (long) WORD.getAcquire(words, slot);
    final long tag = (long) WORD.getOpaque(words, slot + PAGE);
    final long entry = (long) WORD.getOpaque(words, slot + ENTRY);
    VarHandle.loadLoadFence();
    final boolean whole = (before & 1) == 0 && (long) WORD.getOpaque(words, slot) == before;
    if (whole && tag == page && entry != Pte.NONE) {
      hits.increment();
      return entry;
    }
    misses.increment();
    return Pte.NONE;
  }

  /** To be loaded before a walk, and handed to {@link #put}. */
  long generation() {
    return generation.get();
  }

  /** Keeps what a walk found, unless there was an invalidation since the generation was loaded. */
  void put(final long address, final long entry, final long walked) {
    final long page = address >>> Pte.GRANULE_SHIFT;
    final int slot = slot(page);
    final long before = (long) WORD.getOpaque(words, slot);
    if ((before & 1) != 0 || !WORD.compareAndSet(words, slot, before, before + 1)) {
      return; // someone else is at it; there is nothing to be gained by waiting
    }
    store(slot, page, entry);
    if (generation.get() != walked) {
      store(slot, page, Pte.NONE);
    }
    WORD.setRelease(words, slot, before + 2);
  }

  /**
   * Drops what is kept for a range, which was changed before. When it returns no lookup that begins
   * later finds anything of it.
   *
   * @param last last address, not below {@code start}
   */
  void invalidate(final long start, final long last) {
    generation.incrementAndGet();
    final long first = start >>> Pte.GRANULE_SHIFT;
    final long count = (last >>> Pte.GRANULE_SHIFT) - first + 1; // at most 2^52
    if (count < SLOTS) {
      for (long page = first; page < first + count; page++) {
        drop(slot(page), first, count);
      }
    } else {
      for (int slot = 0; slot < words.length; slot += WORDS) {
        drop(slot, first, count);
      }
    }
  }

  /** Drops everything. */
  void flush() {
    invalidate(0, -1L);
  }

  private void drop(final int slot, final long first, final long count) {
    final long before = lock(slot);
    final long page = (long) WORD.getOpaque(words, slot + PAGE);
    if ((long) WORD.getOpaque(words, slot + ENTRY) != Pte.NONE
        && Long.compareUnsigned(page - first, count) < 0) {
      store(slot, page, Pte.NONE);
      dropped.increment();
    }
    WORD.setRelease(words, slot, before + 2);
  }

  private void store(final int slot, final long page, final long entry) {
    VarHandle.storeStoreFence(); // not before the odd number is there to be seen
    WORD.setOpaque(words, slot + PAGE, page);
    WORD.setOpaque(words, slot + ENTRY, entry);
  }

  /** Takes a slot, which others hold for a few stores only; returns its even number. */
  private long lock(final int slot) {
    for (int tries = 1; ; tries++) {
      final long before = (long) WORD.getOpaque(words, slot);
      if ((before & 1) == 0 && WORD.compareAndSet(words, slot, before, before + 1)) {
        return before;
      }
      if (tries % SPINS == 0) {
        Thread.yield(); // the holder lost its processor
      } else {
        Thread.onSpinWait();
      }
    }
  }

  /** Index of a slot's first word; neighbours lie in different slots. */
  private static int slot(final long page) {
    final long folded = page ^ (page >>> SLOT_BITS) ^ (page >>> (2 * SLOT_BITS));
    return (int) (folded & (SLOTS - 1)) * WORDS;
  }

  /** Lookups that found an entry. */
  long hits() {
    return hits.sum();
  }

  /** Lookups that did not. */
  long misses() {
    return misses.sum();
  }

  /** Entries dropped by invalidations. */
  long dropped() {
    return dropped.sum();
  }
}
