package io.carom.guest.shim.fake;

import io.carom.memory.PageMap;
import io.carom.memory.RamRange;
import java.util.List;
import java.util.TreeSet;

/** The simplest page map that is right: a set of taken page numbers. */
public final class FakePageMap implements PageMap {
  private final List<RamRange> ranges;
  private final TreeSet<Long> taken = new TreeSet<>();

  FakePageMap(final List<RamRange> ranges) {
    this.ranges = ranges;
  }

  @Override
  public synchronized long claim(
      final long pages, final long alignPages, final long from, final long limit) {
    for (final RamRange range : ranges) {
      final long first = Math.max(range.base(), from) >>> 12;
      final long end = Math.min(range.end(), limit) >>> 12;
      for (long page = (first + alignPages - 1) & -alignPages;
          page + pages <= end;
          page += alignPages) {
        if (taken.subSet(page, page + pages).isEmpty()) {
          for (long p = page; p < page + pages; p++) {
            taken.add(p);
          }
          return page << 12;
        }
      }
    }
    return -1;
  }

  @Override
  public synchronized void release(final long address, final long pages) {
    for (long p = address >>> 12; p < (address >>> 12) + pages; p++) {
      if (!taken.contains(p)) {
        throw new IllegalStateException("page " + p + " is not allocated");
      }
    }
    taken.subSet(address >>> 12, (address >>> 12) + pages).clear();
  }

  @Override
  public long totalPages() {
    return ranges.stream().mapToLong(RamRange::size).sum() >>> 12;
  }

  @Override
  public synchronized long freePages() {
    return totalPages() - taken.size();
  }
}
