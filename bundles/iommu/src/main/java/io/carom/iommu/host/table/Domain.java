package io.carom.iommu.host.table;

import io.carom.iommu.IommuStatus;
import java.util.Collection;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * An address space: its mappings, as a guest made them, and the page table that they are walked in.
 * Guarded by the IOMMU's lock, but for {@link #walk}. All addresses are below 2^48, so that signed
 * order is theirs.
 */
public final class Domain {
  private final int number;
  private final boolean bypass;
  private final PageTable table;
  private final NavigableMap<Long, Mapping> mappings = new TreeMap<>(); // disjoint, by start
  private long bytes;
  private long pinned;

  /**
   * An empty domain.
   *
   * @param bypass whether accesses pass as they are; then nothing can be mapped
   */
  public Domain(
      final int number, final boolean bypass, final PageBudget budget, final PhysicalSpace space) {
    this.number = number;
    this.bypass = bypass;
    table = new PageTable(budget, space);
  }

  /** Its number. */
  public int number() {
    return number;
  }

  /** Whether every access passes. */
  public boolean bypass() {
    return bypass;
  }

  /** The entry of an address; needs no lock. */
  public long walk(final long address) {
    return table.walk(address);
  }

  /** Whether an address from {@code start} to {@code last} is mapped. */
  public boolean overlaps(final long start, final long last) {
    final Map.Entry<Long, Mapping> before = mappings.floorEntry(last);
    return before != null && before.getValue().last() >= start;
  }

  /**
   * Adds a mapping that overlaps no other.
   *
   * @return a status; whatever it is but OK, nothing is mapped
   */
  public int map(final Mapping mapping) {
    final int status =
        table.map(mapping.start(), mapping.bytes(), mapping.physical(), mapping.flags());
    if (status == IommuStatus.OK) {
      mappings.put(mapping.start(), mapping);
      bytes += mapping.bytes();
      pinned += mapping.pinned();
    }
    return status;
  }

  /** Whether an unmap of a range would leave a part of a mapping. */
  public boolean splits(final long start, final long last) {
    return splitsAt(start) || (last < Long.MAX_VALUE && splitsAt(last + 1));
  }

  /** Whether an address is in a mapping, but not its first. */
  private boolean splitsAt(final long address) {
    final Map.Entry<Long, Mapping> before = mappings.lowerEntry(address);
    return before != null && before.getValue().last() >= address;
  }

  /**
   * Takes out the mappings within a range.
   *
   * @return how many
   */
  public int unmap(final long start, final long last) {
    final NavigableMap<Long, Mapping> within = mappings.subMap(start, true, last, true);
    int gone = 0;
    for (final Mapping mapping : within.values()) {
      table.unmap(mapping.start(), mapping.bytes());
      bytes -= mapping.bytes();
      pinned -= mapping.pinned();
      gone++;
    }
    within.clear();
    return gone;
  }

  /** The mappings by address; valid under the lock. */
  public Collection<Mapping> mappings() {
    return mappings.values();
  }

  /** Number of mappings. */
  public int count() {
    return mappings.size();
  }

  /** Bytes mapped. */
  public long bytes() {
    return bytes;
  }

  /** Granules pinned. */
  public long pinned() {
    return pinned;
  }

  /** Gives up every mapping; nothing is attached any more. */
  public void dispose() {
    table.dispose();
    mappings.clear();
    bytes = 0;
    pinned = 0;
  }
}
