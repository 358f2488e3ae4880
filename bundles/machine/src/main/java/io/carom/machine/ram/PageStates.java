package io.carom.machine.ram;

import io.carom.memory.PageStateCounters;
import io.carom.memory.PhysicalLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Which pages of RAM devices may reach: one bit for each page of a confidential guest, none for any
 * other, all of whose pages are always shared.
 *
 * <p>Changes are serialised. Readers are device threads: they read single words with acquire and
 * take no lock. That a reader which began before a change has ended is not this class's matter but
 * the ports', which are quiesced after pages became private.
 */
public final class PageStates {
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final boolean confidential;
  private final long pages;
  private final long[] shared;
  private long shareCalls;
  private long unshareCalls;
  private long sharedPages;

  /** States of {@code ramBytes} of RAM; all private when confidential. */
  public PageStates(final long ramBytes, final boolean confidential) {
    this.confidential = confidential;
    this.pages = ramBytes >>> PhysicalLayout.PAGE_SHIFT;
    // at most 2^39 bytes of RAM: 2^27 pages, 2^21 words
    this.shared = new long[confidential ? (int) ((pages + 63) / 64) : 0];
    this.sharedPages = confidential ? 0 : pages;
  }

  /** Whether pages start private. */
  public boolean confidential() {
    return confidential;
  }

  /**
   * Whether all pages of a run of RAM, given by its offset and a length of at least 1, are shared.
   */
  public boolean shared(final long offset, final long length) {
    if (!confidential) {
      return true;
    }
    // The caller has checked the run against RAM, so offset + length <= size of RAM.
    final long last = (offset + length - 1) >>> PhysicalLayout.PAGE_SHIFT;
    for (long page = offset >>> PhysicalLayout.PAGE_SHIFT; page <= last; page++) {
      final long word = (long) WORD.getAcquire(shared, (int) (page >>> 6));
      if ((word >>> page & 1) == 0) {
        return false;
      }
    }
    return true;
  }

  /** Shares pages, by their number in RAM. Does nothing without confidentiality. */
  public synchronized void share(final long first, final long count) {
    if (confidential) {
      shareCalls++;
      sharedPages += change(first, count, true);
    }
  }

  /** Makes pages private, by their number in RAM. Does nothing without confidentiality. */
  public synchronized void unshare(final long first, final long count) {
    if (confidential) {
      unshareCalls++;
      sharedPages -= change(first, count, false);
    }
  }

  /** Counts since the machine started. */
  public synchronized PageStateCounters counters() {
    return new PageStateCounters(shareCalls, unshareCalls, sharedPages);
  }

  private long change(final long first, final long count, final boolean to) {
    long changed = 0;
    for (long page = first; page < first + count; page++) {
      final int index = (int) (page >>> 6);
      final long bit = 1L << page;
      final long word = shared[index]; // writers hold the monitor: no write is lost
      if ((word & bit) != 0 != to) {
        WORD.setRelease(shared, index, word ^ bit);
        changed++;
      }
    }
    return changed;
  }
}
