package io.carom.dma.core.debug;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The live mappings of all devices by guest-physical address, under the table's lock. */
final class PhysicalIndex {
  private final TreeMap<Long, DebugEntry> byPhysical = new TreeMap<>(); // chains by nextPhysical
  private long largest;

  void add(final DebugEntry entry) {
    entry.nextPhysical = byPhysical.put(entry.physical, entry);
    largest = Math.max(largest, entry.size);
  }

  void remove(final DebugEntry entry) {
    DebugEntry before = null;
    for (DebugEntry e = byPhysical.get(entry.physical); e != null; e = e.nextPhysical) {
      if (e == entry) {
        if (before != null) {
          before.nextPhysical = e.nextPhysical;
        } else if (e.nextPhysical == null) {
          byPhysical.remove(entry.physical);
        } else {
          byPhysical.put(entry.physical, e.nextPhysical);
        }
        entry.nextPhysical = null;
        return;
      }
      before = e;
    }
  }

  /** All mappings that share a byte with a run. */
  List<DebugEntry> overlapping(final long start, final long end) {
    final List<DebugEntry> found = new ArrayList<>();
    for (final Map.Entry<Long, DebugEntry> at :
        byPhysical.headMap(end, false).descendingMap().entrySet()) {
      if (start - at.getKey() >= largest) {
        break;
      }
      for (DebugEntry e = at.getValue(); e != null; e = e.nextPhysical) {
        if (e.physicalEnd() > start) {
          found.add(e);
        }
      }
    }
    return found;
  }
}
