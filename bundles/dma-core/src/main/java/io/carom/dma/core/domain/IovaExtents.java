package io.carom.dma.core.domain;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.memory.PlatformSync;
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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  private static final long FEW = 64 << 10; // bytes up to which the index is asked

  private final GuestDomain guest;
  private final GuestMemory memory;
  private final PageAllocator pages;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final long granule;
  private final Map<ExtentState, PageRuns> runs = new ConcurrentHashMap<>();
  private final PlatformSync platform;
  private final LongAdder held = new LongAdder();
  private final LongAdder leaked = new LongAdder();
  private volatile boolean starved;
  private volatile boolean dead;

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
    platform = new PlatformSync(memory);
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
    final PageRuns taken =
        PageRuns.take(pages, platform, (int) (bytes >> PhysicalLayout.PAGE_SHIFT));
    if (taken == null) {
      starved = true;
      return null;
    }
    final Backing backing =
        new Backing(memory.ram(), platform.uncached(), iova, taken.offsets(memory), permissions);
    if (map(iova, taken, permissions) != IommuStatus.OK) {
      taken.give(pages, platform);
      return null;
    }
    held.add(taken.pages());
    final ExtentState made =
        new ExtentState(new Extent(ids.incrementAndGet(), ExtentKind.IOVA, iova, bytes), backing);
    runs.put(made, taken);
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

  private int map(final long iova, final PageRuns taken, final int permissions) {
    final long[] starts = taken.busAddresses(platform);
    return starts == null
        ? IommuStatus.RANGE // a run that is not in one bank
        : guest.map(
            iova,
            starts,
            taken.lengths(),
            taken.count(),
            permissions & (IovaSpace.READ | IovaSpace.WRITE));
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
  @Override
  public boolean dispose(final ExtentState extent) {
    final PageRuns taken = runs.get(extent);
    if (taken == null) {
      throw new IllegalArgumentException("an extent of another domain, or of none");
    }
    final long iova = extent.extent.busAddress();
    final int status = guest.unmap(iova, extent.extent.size());
    if (status != IommuStatus.OK) {
      leaked.add(extent.extent.size());
      sayLeaked(extent.extent.size(), iova, status);
      return false;
    }
    index.remove(extent);
    runs.remove(extent);
    held.add(-taken.pages());
    taken.give(pages, platform);
    return true;
  }

  /** One line for each, but only one in all when there is no IOMMU any more that could answer. */
  private void sayLeaked(final long bytes, final long iova, final int status) {
    if (guest.alive()) {
      LOG.error(
          "Bounce buffer release failed; leaking slot: {} bytes at 0x{} stay mapped ({})",
          bytes,
          Long.toHexString(iova),
          IommuStatus.name(status));
    } else if (!dead) {
      dead = true;
      LOG.warn(
          "the IOMMU is gone: what domain {} has mapped stays out of use, {} pages",
          guest.id(),
          held.sum());
    }
  }

  /** Whether a part of a range is mapped for an extent, also for one that is lost. */
  boolean any(final long iova, final long bytes) {
    if (bytes > FEW) {
      for (final ExtentState extent : runs.keySet()) {
        if (extent.extent.busAddress() < iova + bytes && extent.extent.end() > iova) {
          return true; // all below 2^42
        }
      }
      return false;
    }
    return isTaken(iova, bytes);
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
