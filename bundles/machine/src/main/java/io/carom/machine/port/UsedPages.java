package io.carom.machine.port;

import io.carom.machine.ram.PageStates;
import io.carom.memory.PhysicalLayout;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which pages of a confidential guest's RAM a function has reached: each of them is one whose
 * protection the guest has lifted, for this function among others. Thread-safe; sessions mark,
 * anyone counts.
 */
final class UsedPages {
  private static final int SHIFT = PhysicalLayout.PAGE_SHIFT;

  private final PageStates states;
  private final AtomicLongArray words;

  /** None yet. */
  UsedPages(final PageStates states, final long ramBytes) {
    this.states = states;
    // at most 2^27 pages: 2^21 words
    words = new AtomicLongArray((int) (((ramBytes >>> SHIFT) + 63) >>> 6));
  }

  /** Marks the pages of a run of RAM, given by its offset and a length of at least 1. */
  void mark(final long offset, final long length) {
    final long last = (offset + length - 1) >>> SHIFT;
    for (long page = offset >>> SHIFT; page <= last; page++) {
      final int word = (int) (page >>> 6);
      final long bit = 1L << page;
      if ((words.getOpaque(word) & bit) == 0) {
        words.getAndAccumulate(word, bit, (before, more) -> before | more);
      }
    }
  }

  /** Those that are shared still. */
  long count() {
    long count = 0;
    for (int word = 0; word < words.length(); word++) {
      for (long left = words.get(word); left != 0; left &= left - 1) {
        final long page = ((long) word << 6) + Long.numberOfTrailingZeros(left);
        count += states.shared(page << SHIFT, 1) ? 1 : 0;
      }
    }
    return count;
  }
}
