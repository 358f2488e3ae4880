package io.carom.guest.shim.kernel;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Hands out runs of pages: policy only, the map of what is taken is the machine's and outlives this
 * component. It needs nothing but RAM, because the DMA core in turn needs it.
 *
 * <p>High RAM comes first, so that low RAM, which alone a device with a short DMA mask reaches, is
 * left to those that must have it. Page 0 is never handed out: a device that uses an address of
 * zero by mistake shall not hit anybody's data.
 */
@Component(service = PageAllocator.class, immediate = true)
public final class RamPageAllocator implements PageAllocator {
  private final List<RamRange> ranges;
  private final PageMap map;

  /** An allocator over all RAM. */
  @Activate
  public RamPageAllocator(@Reference final GuestMemory memory) {
    this.ranges = memory.ranges();
    this.map = memory.pageMap();
  }

  @Override
  public long allocate(final long pages, final long alignBytes, final long limit) {
    if (pages < 1) {
      throw new IllegalArgumentException("cannot allocate " + pages + " pages: at least 1");
    }
    if (alignBytes < PhysicalLayout.PAGE_SIZE || Long.bitCount(alignBytes) != 1) {
      throw new IllegalArgumentException(
          "alignment "
              + alignBytes
              + " is not a power of two of at least "
              + PhysicalLayout.PAGE_SIZE);
    }
    final long alignPages = alignBytes >>> PhysicalLayout.PAGE_SHIFT;
    for (int i = ranges.size() - 1; i >= 0; i--) {
      final RamRange range = ranges.get(i);
      final long from = Math.max(range.base(), PhysicalLayout.PAGE_SIZE);
      // -1 is "no limit" as an unsigned bound, and RAM ends far below the sign bit
      final long to = limit < 0 ? range.end() : Math.min(range.end(), limit);
      if (from >= to || pages > (to - from) >>> PhysicalLayout.PAGE_SHIFT) {
        continue;
      }
      final long address = map.claim(pages, alignPages, from, to);
      if (address >= 0) {
        return address;
      }
    }
    return NONE;
  }

  @Override
  public void free(final long address, final long pages) {
    map.release(address, pages);
  }
}
