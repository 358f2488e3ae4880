package io.carom.guest.shim.iommu;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is mapped in a domain: disjoint ranges by unsigned address, so that they can be mapped again
 * after the device has forgotten them. Guarded by the request queue's lock.
 */
final class DomainMappings {
  private final NavigableMap<Long, Mapping> ranges = new TreeMap<>(Long::compareUnsigned);

  /**
   * A mapping.
   *
   * @param last its last address
   * @param physical physical address of its first byte
   * @param permissions {@code VirtioIommuDescriptor.MAP_F_*}
   */
  record Mapping(long last, long physical, int permissions) {}

  /** Takes each mapping, by address. */
  @FunctionalInterface
  interface Visitor {
    /** Whether to go on. */
    boolean visit(long iova, Mapping mapping);
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  /** First mapped address; only when not empty. */
  long first() {
    return ranges.firstKey();
  }

  /** Last mapped address; only when not empty. */
  long last() {
    return ranges.lastEntry().getValue().last();
  }

  /** Whether a range touches a mapping. */
  boolean overlaps(final long iova, final long bytes) {
    final Map.@Nullable Entry<Long, Mapping> below = ranges.floorEntry(iova + bytes - 1);
    return below != null && Long.compareUnsigned(below.getValue().last(), iova) >= 0;
  }

  /** Whether an end of a range lies within a mapping that goes on behind it. */
  boolean splits(final long iova, final long bytes) {
    return crosses(iova) || (iova + bytes != 0 && crosses(iova + bytes));
  }

  /** Whether one mapping holds an address and the one before it. */
  private boolean crosses(final long at) {
    final Map.@Nullable Entry<Long, Mapping> below = ranges.lowerEntry(at);
    return below != null && Long.compareUnsigned(below.getValue().last(), at) >= 0;
  }

  void put(final long iova, final long bytes, final long physical, final int permissions) {
    ranges.put(iova, new Mapping(iova + bytes - 1, physical, permissions));
  }

  /**
   * Removes the mappings that lie wholly within a range.
   *
   * @return their bytes
   */
  long removeWithin(final long iova, final long bytes) {
    final long last = iova + bytes - 1;
    long removed = 0;
    final var inside = ranges.subMap(iova, true, last, true).entrySet().iterator();
    while (inside.hasNext()) {
      final Map.Entry<Long, Mapping> range = inside.next();
      if (Long.compareUnsigned(range.getValue().last(), last) <= 0) {
        removed += range.getValue().last() - range.getKey() + 1;
        inside.remove();
      }
    }
    return removed;
  }

  void clear() {
    ranges.clear();
  }

  /** Shows the mappings; whether all were visited. */
  boolean visit(final Visitor visitor) {
    for (final Map.Entry<Long, Mapping> range : ranges.entrySet()) {
      if (!visitor.visit(range.getKey(), range.getValue())) {
        return false;
      }
    }
    return true;
  }
}
