package io.carom.machine.ram;

import io.carom.memory.PageMap;
import io.carom.memory.PhysicalLayout;
import java.util.BitSet;

/**
 * The map of allocated pages: a bit for each page of RAM. Calls are serialised by the monitor, so
 * that each claim and release is atomic.
 */
public final class PageBitmap implements PageMap {
  private static final int SHIFT = PhysicalLayout.PAGE_SHIFT;

  private final Ram ram;
  private final int total;
  private final int lowPages;
  private final BitSet used;
  private int lowestFree; // no page below it is free
  private int free;

  /** A map with every page free. */
  public PageBitmap(final Ram ram) {
    this.ram = ram;
    this.total = (int) (ram.size() >>> SHIFT); // at most 2^27 pages
    this.lowPages = (int) (ram.lowSize() >>> SHIFT);
    this.used = new BitSet(total);
    this.free = total;
  }

  @Override
  public synchronized long claim(
      final long pages, final long alignPages, final long from, final long limit) {
    if (pages < 1) {
      throw new IllegalArgumentException("claim of " + pages + " pages, at least 1 is needed");
    }
    if (alignPages < 1 || Long.bitCount(alignPages) != 1) {
      throw new IllegalArgumentException("alignment of " + alignPages + " pages, not a power of 2");
    }
    if (pages > free) {
      return -1;
    }
    // A run never crosses from low to high RAM: their addresses do not touch.
    final long low = claimIn(0, lowPages, 0, pages, alignPages, from, limit);
    return low >= 0
        ? low
        : claimIn(lowPages, total, PhysicalLayout.HIGH_RAM_BASE, pages, alignPages, from, limit);
  }

  @Override
  public synchronized void release(final long address, final long pages) {
    // pages is bounded by the total before it is shifted, so the length cannot overflow
    final long offset =
        pages < 1 || pages > total || (address & (PhysicalLayout.PAGE_SIZE - 1)) != 0
            ? -1
            : ram.offset(address, pages << SHIFT);
    if (offset < 0) {
      throw new IllegalStateException(
          "release of "
              + pages
              + " pages at 0x"
              + Long.toHexString(address)
              + ", not pages of RAM");
    }
    final int first = (int) (offset >>> SHIFT);
    final int end = first + (int) pages;
    if (used.nextClearBit(first) < end) {
      throw new IllegalStateException(
          "release of "
              + pages
              + " pages at 0x"
              + Long.toHexString(address)
              + ": page 0x"
              + Long.toHexString(ram.address((long) used.nextClearBit(first) << SHIFT))
              + " is not allocated");
    }
    used.clear(first, end);
    free += (int) pages;
    lowestFree = Math.min(lowestFree, first);
  }

  @Override
  public long totalPages() {
    return total;
  }

  @Override
  public synchronized long freePages() {
    return free;
  }

  /**
   * Claims within the pages {@code [begin, end)}, the first of which has the address {@code base}.
   */
  private long claimIn(
      final int begin,
      final int end,
      final long base,
      final long pages,
      final long align,
      final long from,
      final long limit) {
    final long frame = base >>> SHIFT; // number of the range's first page in the address space
    final long lowest = Math.max(from, base);
    if (limit <= lowest) {
      return -1;
    }
    // Rounding up by hand, as lowest + PAGE_SIZE - 1 could wrap.
    final long firstFrame =
        (lowest >>> SHIFT) + ((lowest & (PhysicalLayout.PAGE_SIZE - 1)) == 0 ? 0 : 1);
    final long endFrame = Math.min(limit >>> SHIFT, frame + (end - begin));
    long at = Math.max(firstFrame, frame + Math.max(0, lowestFree - begin));
    while (true) {
      at = (at + align - 1) & -align; // below 2^52 + align: align above 2^52 ends the search below
      if (at < 0 || at > endFrame - pages) {
        return -1;
      }
      final int index = begin + (int) (at - frame);
      final int taken = used.nextSetBit(index);
      if (taken < 0 || taken >= index + pages) {
        used.set(index, index + (int) pages);
        free -= (int) pages;
        if (index == lowestFree) {
          lowestFree = used.nextClearBit(index);
        }
        return at << SHIFT;
      }
      at = frame + (used.nextClearBit(taken) - begin);
    }
  }
}
