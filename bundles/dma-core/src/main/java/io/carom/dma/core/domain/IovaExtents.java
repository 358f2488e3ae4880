package io.carom.dma.core.domain;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.pool.Backing;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.IovaSpace;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.IommuStatus;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Extents of one domain: pages from anywhere in RAM, zeroed, then mapped side by side. Before pages
 * go back to the kernel they are unmapped and invalidated; what the IOMMU does not unmap is lost,
 * pages and addresses, because a device may still write there.
 *
 * <p>Pages are taken in runs as long as there are, so that a fresh extent takes few MAP requests; a
 * fragmented RAM gives single pages.
 */
public final class IovaExtents implements ExtentSource {
  private static final Logger LOG = LoggerFactory.getLogger(IovaExtents.class);

  private final GuestDomain guest;
  private final GuestMemory memory;
  private final PageAllocator pages;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final long granule;
  private final LongAdder held = new LongAdder();
  private final LongAdder leaked = new LongAdder();
  private volatile boolean starved;

  IovaExtents(
      final GuestDomain guest,
      final GuestMemory memory,
      final PageAllocator pages,
      final ExtentIndex index,
      final AtomicInteger ids,
      final long granule) {
    this.guest = guest;
    this.memory = memory;
    this.pages = pages;
    this.index = index;
    this.ids = ids;
    this.granule = granule;
  }

  /** Nothing is planned in a domain. */
  @Override
  public @Nullable ExtentState take(final long bytes, final long limit) {
    return null;
  }

  @Override
  public @Nullable ExtentState takePages(final long bytes, final long alignMask, final long limit) {
    return null;
  }

  @Override
  public @Nullable ExtentState takeAt(final long iova, final long bytes, final int permissions) {
    if (bytes <= 0 || ((iova | bytes) & (granule - 1)) != 0 || isTaken(iova, bytes)) {
      return null;
    }
    final long[] taken = takePages((int) (bytes >> PhysicalLayout.PAGE_SHIFT));
    if (taken == null) {
      starved = true;
      return null;
    }
    final Backing backing = new Backing(memory.ram(), iova, offsets(taken), permissions);
    if (map(iova, taken, permissions) != IommuStatus.OK) {
      give(taken);
      return null;
    }
    held.add(taken.length);
    final ExtentState made =
        new ExtentState(new Extent(ids.incrementAndGet(), ExtentKind.IOVA, iova, bytes), backing);
    index.add(made);
    return made;
  }

  private boolean isTaken(final long iova, final long bytes) {
    for (long at = iova; at < iova + bytes; at += granule) { // within the domain's addresses
      if (index.find(at) != null) {
        return true;
      }
    }
    return false;
  }

  private long @Nullable [] takePages(final int count) {
    final long[] taken = new long[count];
    int have = 0;
    int run = Integer.highestOneBit(count);
    while (have < count) {
      run = Math.min(run, Integer.highestOneBit(count - have));
      final long address =
          pages.allocate(run, PhysicalLayout.PAGE_SIZE, PhysicalLayout.MMIO64_BASE);
      if (address == PageAllocator.NONE) {
        if (run == 1) {
          for (int i = 0; i < have; i++) {
            pages.free(taken[i], 1);
          }
          return null;
        }
        run /= 2;
        continue;
      }
      memory.segment(address, (long) run << PhysicalLayout.PAGE_SHIFT).fill((byte) 0);
      for (int i = 0; i < run; i++) {
        taken[have++] = address + ((long) i << PhysicalLayout.PAGE_SHIFT);
      }
    }
    return taken;
  }

  private long[] offsets(final long[] addresses) {
    final long[] offsets = new long[addresses.length];
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = memory.offset(addresses[i]);
    }
    return offsets;
  }

  private int map(final long iova, final long[] taken, final int permissions) {
    final long[] starts = new long[taken.length];
    final long[] lengths = new long[taken.length];
    int pieces = 0;
    for (final long address : taken) {
      final long bus = address + memory.busOffset();
      if (pieces > 0 && starts[pieces - 1] + lengths[pieces - 1] == bus) {
        lengths[pieces - 1] += PhysicalLayout.PAGE_SIZE;
      } else {
        starts[pieces] = bus;
        lengths[pieces++] = PhysicalLayout.PAGE_SIZE;
      }
    }
    return guest.map(
        iova, starts, lengths, pieces, permissions & (IovaSpace.READ | IovaSpace.WRITE));
  }

  private void give(final long[] taken) {
    for (final long address : taken) {
      pages.free(address, 1);
    }
  }

  @Override
  public void give(final ExtentState extent) {
    dispose(extent);
  }

  /**
   * Unmaps an extent that nobody owns, and gives its pages back.
   *
   * @return false when the IOMMU did not unmap it: it is lost, and its addresses stay taken
   */
  public boolean dispose(final ExtentState extent) {
    final Backing backing = extent.backing;
    if (backing == null) {
      throw new IllegalArgumentException("an extent of no domain");
    }
    final long iova = extent.extent.busAddress();
    final int status = guest.unmap(iova, extent.extent.size());
    if (status != IommuStatus.OK) {
      leaked.add(extent.extent.size());
      LOG.error(
          "Bounce buffer release failed; leaking slot: {} bytes at 0x{} stay mapped ({})",
          extent.extent.size(),
          Long.toHexString(iova),
          IommuStatus.name(status));
      return false;
    }
    index.remove(extent);
    final long[] offsets = backing.pages();
    held.add(-offsets.length);
    for (final long offset : offsets) {
      pages.free(address(offset), 1);
    }
    return true;
  }

  private long address(final long offset) {
    long base = 0;
    for (final RamRange range : memory.ranges()) {
      if (offset < base + range.size()) {
        return range.base() + (offset - base);
      }
      base += range.size();
    }
    throw new IllegalStateException("offset " + offset + " is beyond RAM");
  }

  /** Whether pages were wanted and there were none since the last call. */
  public boolean wasShort() {
    final boolean was = starved;
    starved = false;
    return was;
  }

  /** Pages that extents of the domain have. */
  public long pagesHeld() {
    return held.sum();
  }

  /** Bytes lost to unmaps that failed. */
  public long leakedBytes() {
    return leaked.sum();
  }

  @Override
  public long capacity() {
    long sum = 0;
    for (final RamRange range : memory.ranges()) {
      sum += range.size();
    }
    return sum;
  }

  @Override
  public boolean costly() {
    return true;
  }
}
