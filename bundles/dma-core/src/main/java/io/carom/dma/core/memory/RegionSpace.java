package io.carom.dma.core.memory;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A device's own region: the reserve for coherent memory at its start, slot sets behind it. A set
 * is granted to one extent at most; an extent that comes back is kept and used again as it is, or
 * split or joined when another size is wanted.
 */
public final class RegionSpace implements ExtentSource {
  private final DmaDeviceSpec.Region region;
  private final ExtentKind kind;
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final int firstSet;
  private final int sets;
  private final BitSet free = new BitSet();
  private final Map<Integer, ExtentState> kept = new HashMap<>();
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
    firstSet = (int) ((region.reserveBytes() + Extent.SET_SIZE - 1) >> Extent.SET_SHIFT);
    sets = (int) (region.memory().byteSize() >> Extent.SET_SHIFT);
    free.set(firstSet, sets);
  }

  @Override
  public synchronized @Nullable ExtentState take(final long bytes, final long limit) {
    final int count = (int) (bytes >> Extent.SET_SHIFT);
    int start = free.nextSetBit(0);
    while (start >= 0) {
      final int end = free.nextClearBit(start);
      if (end - start >= count) {
        free.clear(start, start + count);
        return extent(start, count);
      }
      start = free.nextSetBit(end);
    }
    return null;
  }

  private ExtentState extent(final int start, final int count) {
    final ExtentState old = kept.get(start);
    if (old != null && old.extent.size() == (long) count << Extent.SET_SHIFT) {
      kept.remove(start);
      return old;
    }
    // Split or joined: what was kept for these sets in another shape is forgotten.
    for (int set = 0; set < start + count; set++) {
      final ExtentState other = kept.get(set);
      if (other != null && set + (other.extent.size() >> Extent.SET_SHIFT) > start) {
        kept.remove(set);
        made.remove(other);
      }
    }
    final long offset = (long) start << Extent.SET_SHIFT;
    final ExtentState fresh =
        new ExtentState(
            new Extent(
                ids.incrementAndGet(),
                kind,
                region.busAddress() + offset, // inside the region: cannot overflow
                (long) count << Extent.SET_SHIFT),
            region.memory(),
            offset);
    made.add(fresh);
    index.add(fresh);
    return fresh;
  }

  @Override
  public synchronized void give(final ExtentState extent) {
    final int start =
        (int) ((extent.extent.busAddress() - region.busAddress()) >> Extent.SET_SHIFT);
    final int count = (int) (extent.extent.size() >> Extent.SET_SHIFT);
    free.set(start, start + count);
    kept.put(start, extent);
  }

  @Override
  public long capacity() {
    return (long) Math.max(0, sets - firstSet) << Extent.SET_SHIFT;
  }

  /** Bytes that nobody owns now. */
  public synchronized long freeBytes() {
    return (long) free.cardinality() << Extent.SET_SHIFT;
  }

  /** Makes every extent of the region unfindable: the device is gone, and so are its mappings. */
  public synchronized void close() {
    for (long a = region.busAddress();
        a < region.busAddress() + region.memory().byteSize();
        a += Extent.SET_SIZE) {
      final ExtentState extent = index.find(a);
      if (extent != null && made.contains(extent)) { // the address may be another device's by now
        index.remove(extent);
      }
    }
  }
}
