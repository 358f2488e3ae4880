package io.carom.dma.core.memory;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Guest RAM as a source of extents: pages from the kernel's allocator, shared with the host where
 * the guest is confidential, given back and made private again when the extent is.
 */
public final class RamSpace implements ExtentSource {
  private static final Logger LOG = LoggerFactory.getLogger(RamSpace.class);

  private final GuestMemory memory;
  private final PageAllocator pages;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final PlatformSync platform;

  /** Extents from these pages. */
  public RamSpace(
      final GuestMemory memory,
      final PageAllocator pages,
      final ExtentIndex index,
      final AtomicInteger ids) {
    this.memory = memory;
    this.pages = pages;
    this.index = index;
    this.ids = ids;
    platform = new PlatformSync(memory);
  }

  @Override
  public @Nullable ExtentState take(final long bytes, final long limit) {
    return takePages(bytes, Extent.SET_SIZE - 1, limit);
  }

  @Override
  public @Nullable ExtentState takePages(final long bytes, final long alignMask, final long limit) {
    final long count = bytes >> PhysicalLayout.PAGE_SHIFT;
    // An unaligned bus offset would put slots across set borders; the machine's offsets are
    // aligned.
    final long address =
        ReachablePages.allocate(
            pages,
            platform,
            count,
            Math.max(PhysicalLayout.PAGE_SIZE, alignMask + 1),
            Math.max(0, limit - Math.max(0, memory.busOffset())),
            limit - 1);
    if (address == PageAllocator.NONE) {
      return null;
    }
    memory.share(address, count);
    platform.prepare(address, bytes);
    final ExtentState made =
        new ExtentState(
            new Extent(
                ids.incrementAndGet(),
                ExtentKind.RAM,
                platform.sharedAddress(address, bytes),
                bytes),
            platform.uncached(),
            memory.offset(address));
    index.add(made);
    return made;
  }

  @Override
  public void give(final ExtentState extent) {
    final long address =
        platform.physical(extent.extent.busAddress(), extent.extent.size());
    final long count = extent.extent.size() >> PhysicalLayout.PAGE_SHIFT;
    index.remove(extent);
    try {
      memory.unshare(address, count);
    } catch (final IllegalStateException e) {
      // A device may still be at work in there: better lost than used by two.
      LOG.warn(
          "{} pages at 0x{} stay out of use: {}", count, Long.toHexString(address), e.toString());
      return;
    }
    platform.restore(address, extent.extent.size());
    pages.free(address, count);
  }

  @Override
  public boolean costly() {
    return memory.confidential();
  }

  @Override
  public long capacity() {
    long sum = 0;
    for (final RamRange range : memory.ranges()) {
      sum += range.size();
    }
    return sum;
  }

  /** Bytes of RAM below 4 GiB: what pools are sized by. */
  public long lowBytes() {
    return memory.ranges().getFirst().size();
  }
}
