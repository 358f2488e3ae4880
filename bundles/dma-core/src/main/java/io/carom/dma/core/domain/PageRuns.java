package io.carom.dma.core.domain;

import io.carom.dma.core.memory.PlatformSync;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Zeroed pages of the kernel, in the runs that they were taken and go back in. */
final class PageRuns {
  private long[] starts = new long[1]; // most extents are one run
  private long[] lengths = new long[1];
  private int count;
  private int pages;

  private PageRuns() {}

  /**
   * Takes pages in as few runs as there are.
   *
   * @return null, and nothing taken, when there are not enough
   */
  static @Nullable PageRuns take(
      final PageAllocator from, final PlatformSync platform, final int wanted) {
    final PageRuns taken = new PageRuns();
    int run = Integer.highestOneBit(wanted);
    while (taken.pages < wanted) {
      run = Math.min(run, Integer.highestOneBit(wanted - taken.pages));
      final long address = from.allocate(run, PhysicalLayout.PAGE_SIZE, PhysicalLayout.MMIO64_BASE);
      if (address != PageAllocator.NONE) {
        final long bytes = (long) run << PhysicalLayout.PAGE_SHIFT;
        platform.prepare(address, bytes);
        platform.uncached(address, bytes).fill((byte) 0);
        taken.add(address, bytes);
      } else if (run > 1) {
        run /= 2;
      } else {
        taken.give(from, platform);
        return null;
      }
    }
    return taken;
  }

  private void add(final long address, final long bytes) {
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    starts[count] = address;
    lengths[count++] = bytes;
    pages += (int) (bytes >> PhysicalLayout.PAGE_SHIFT);
  }

  /** Gives all back. */
  void give(final PageAllocator to, final PlatformSync platform) {
    for (int i = 0; i < count; i++) {
      platform.restore(starts[i], lengths[i]);
      to.free(starts[i], lengths[i] >> PhysicalLayout.PAGE_SHIFT);
    }
  }

  /** Pages. */
  int pages() {
    return pages;
  }

  /** Runs. */
  int count() {
    return count;
  }

  /** Bytes of each run. */
  long[] lengths() {
    return lengths;
  }

  /** Where the IOMMU finds each run; null when one is not in one bank. */
  long @Nullable [] busAddresses(final PlatformSync platform) {
    final long[] addresses = new long[count];
    for (int i = 0; i < count; i++) {
      addresses[i] = platform.busAddress(starts[i], lengths[i]);
      if (addresses[i] < 0) {
        return null;
      }
    }
    return addresses;
  }

  /** Offset in RAM of each page. */
  long[] offsets(final GuestMemory memory) {
    final long[] offsets = new long[pages];
    int page = 0;
    for (int i = 0; i < count; i++) {
      final long first = memory.offset(starts[i]);
      for (long at = 0; at < lengths[i]; at += PhysicalLayout.PAGE_SIZE) {
        offsets[page++] = first + at; // of RAM
      }
    }
    return offsets;
  }
}
