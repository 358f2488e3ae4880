package io.carom.dma.core.memory;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import io.carom.memory.PhysicalLayout;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A device's own region: the reserve for coherent memory at its start, slot sets behind it. A page
 * is granted to one extent at most. Extents of whole sets come from the low end; one that comes
 * back is kept and used again as it is, or split or joined when another size is wanted. Extents for
 * single mappings come from the high end, page by page, so that they break few sets.
 */
public final class RegionSpace implements ExtentSource {
  private static final int PAGE_SHIFT = PhysicalLayout.PAGE_SHIFT;
  private static final int SET_PAGES = Extent.SET_SIZE >> PAGE_SHIFT;

  private final DmaDeviceSpec.Region region;
  private final ExtentKind kind;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final int firstPage;
  private final int pages;
  private final BitSet free = new BitSet();
  private final Map<Integer, ExtentState> kept = new HashMap<>(); // by first page
  private final Set<ExtentState> made = Collections.newSetFromMap(new IdentityHashMap<>());

  /** All sets behind the reserve are free. */
  public RegionSpace(
      final DmaDeviceSpec.Region region, final ExtentIndex index, final AtomicInteger ids) {
    this(region, ExtentKind.DEVICE, index, ids);
  }

  /** The same in another kind of memory that was set apart. */
  RegionSpace(
      final DmaDeviceSpec.Region region,
      final ExtentKind kind,
      final ExtentIndex index,
      final AtomicInteger ids) {
    this.region = region;
    this.kind = kind;
    this.index = index;
    this.ids = ids;
    final int firstSet = (int) ((region.reserveBytes() + Extent.SET_SIZE - 1) >> Extent.SET_SHIFT);
    firstPage = firstSet * SET_PAGES;
    pages = (int) (region.memory().byteSize() >> Extent.SET_SHIFT) * SET_PAGES;
    if (firstPage < pages) {
      free.set(firstPage, pages);
    }
  }

  @Override
  public synchronized @Nullable ExtentState take(final long bytes, final long limit) {
    final int count = (int) (bytes >> PAGE_SHIFT);
    int start = firstSetFrom(0);
    while (start >= 0 && start + count <= pages) {
      final int taken = free.nextClearBit(start);
      if (taken - start >= count) {
        return extentOfSets(start, count);
      }
      start = firstSetFrom(taken);
    }
    return null;
  }

  /** The first page of a set, at or behind a page, that is free, or -1. */
  private int firstSetFrom(final int page) {
    int at = free.nextSetBit(page);
    while (at >= 0 && at % SET_PAGES != 0) {
      at = free.nextSetBit((at / SET_PAGES + 1) * SET_PAGES);
    }
    return at;
  }

  private ExtentState extentOfSets(final int start, final int count) {
    free.clear(start, start + count);
    final ExtentState old = kept.get(start);
    if (old != null && old.extent.size() == (long) count << PAGE_SHIFT) {
      kept.remove(start);
      return old;
    }
    forget(start, count);
    return make(start, count);
  }

  /** Forgets what was kept for these pages in another shape. */
  private void forget(final int start, final int count) {
    kept.values()
        .removeIf(
            other -> {
              final int first = page(other);
              final boolean overlaps =
                  first < start + count && start < first + (other.extent.size() >> PAGE_SHIFT);
              if (overlaps) {
                made.remove(other);
                index.remove(other);
              }
              return overlaps;
            });
  }

  private ExtentState make(final int start, final int count) {
    final long offset = (long) start << PAGE_SHIFT;
    final ExtentState fresh =
        new ExtentState(
            new Extent(
                ids.incrementAndGet(),
                kind,
                region.busAddress() + offset, // inside the region: cannot overflow
                (long) count << PAGE_SHIFT),
            region.memory(),
            offset);
    made.add(fresh);
    index.add(fresh);
    return fresh;
  }

  @Override
  public synchronized @Nullable ExtentState takePages(
      final long bytes, final long alignMask, final long limit) {
    final int count = (int) (bytes >> PAGE_SHIFT);
    // The region lies at a multiple of a set; an alignment beyond that is that of bus addresses.
    final long step = Math.max(1, (alignMask + 1) >> PAGE_SHIFT);
    final long base = region.busAddress() >> PAGE_SHIFT;
    // From the last free page down: what is taken is passed over at once.
    int last = free.previousSetBit(pages - 1);
    while (last - count + 1 >= firstPage) {
      final int start = (int) ((base + last - count + 1) / step * step - base);
      if (start < firstPage) {
        return null;
      }
      final int taken = free.previousClearBit(start + count - 1);
      if (taken < start) {
        free.clear(start, start + count);
        forget(start, count);
        return make(start, count);
      }
      last = free.previousSetBit(taken);
    }
    return null;
  }

  private int page(final ExtentState extent) {
    return (int) ((extent.extent.busAddress() - region.busAddress()) >> PAGE_SHIFT);
  }

  @Override
  public synchronized void give(final ExtentState extent) {
    final int start = page(extent);
    final int count = (int) (extent.extent.size() >> PAGE_SHIFT);
    free.set(start, start + count);
    if (!extent.needed() && start % SET_PAGES == 0 && count % SET_PAGES == 0) {
      kept.put(start, extent);
      return;
    }
    if (index.find(extent.extent.busAddress()) == extent) { // it may be another's by now
      index.remove(extent);
    }
    made.remove(extent);
  }

  @Override
  public boolean costly() {
    return false;
  }

  @Override
  public long capacity() {
    return (long) Math.max(0, pages - firstPage) << PAGE_SHIFT;
  }

  @Override
  public synchronized long freeBytes() {
    return (long) free.cardinality() << PAGE_SHIFT;
  }

  /** Whether someone owns part of it. */
  public synchronized boolean inUse() {
    return free.cardinality() < Math.max(0, pages - firstPage);
  }

  /** Whether it is over the same memory. */
  boolean over(final DmaDeviceSpec.Region other) {
    return region.busAddress() == other.busAddress()
        && region.reserveBytes() == other.reserveBytes()
        && region.memory().byteSize() == other.memory().byteSize()
        && region.memory().address() == other.memory().address();
  }

  /** Makes every extent of the region unfindable: the device is gone, and so are its mappings. */
  public synchronized void close() {
    for (final ExtentState extent : made) {
      if (index.find(extent.extent.busAddress()) == extent) { // it may be another device's by now
        index.remove(extent);
      }
    }
    made.clear();
  }
}
