package io.carom.dma.core.memory;

import io.carom.guest.PageAllocator;
import io.carom.memory.PhysicalLayout;

/** Pages whose bus address a device reaches, where that is not simply an offset away. */
final class ReachablePages {
  private static final int ATTEMPTS = 64;

  private ReachablePages() {}

  /**
   * Allocates pages in one run.
   *
   * @param limit exclusive bound of their guest-physical addresses
   * @param busLast the highest bus address that will do, unsigned
   * @return {@link PageAllocator#NONE} when there are none
   */
  static long allocate(
      final PageAllocator pages,
      final PlatformSync platform,
      final long count,
      final long alignBytes,
      final long limit,
      final long busLast) {
    if (platform.plain()) {
      return pages.allocate(count, alignBytes, limit);
    }
    // The allocator knows nothing of banks. What it gives that no bank holds, or one that the
    // device does not reach, is kept while others are tried, first below 4 GiB, and given back.
    final long bytes = count << PhysicalLayout.PAGE_SHIFT;
    final long[] useless = new long[ATTEMPTS];
    int tried = 0;
    long found = PageAllocator.NONE;
    long below = limit;
    while (tried < ATTEMPTS && found == PageAllocator.NONE) {
      final long address = pages.allocate(count, alignBytes, below);
      if (address == PageAllocator.NONE) {
        break;
      }
      if (fits(platform.sharedAddress(address, bytes), bytes, alignBytes, busLast)) {
        found = address;
      } else {
        useless[tried++] = address;
        below = Math.min(below, PhysicalLayout.HIGH_RAM_BASE);
      }
    }
    for (int i = 0; i < tried; i++) {
      pages.free(useless[i], count);
    }
    return found;
  }

  private static boolean fits(
      final long bus, final long bytes, final long alignBytes, final long busLast) {
    return bus >= 0
        && (bus & (alignBytes - 1)) == 0
        && Long.compareUnsigned(bus + bytes - 1, busLast) <= 0; // below 2^48
  }
}
