package io.carom.dma.core.debug;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The live entries of one device by bus address, under the lock of the {@link EntryTable}. */
final class EntryIndex {
  private final TreeMap<Long, DebugEntry> byBus = new TreeMap<>(); // chains by next
  private long largest; // of all that ever were in it: bounds the way back
  private int count;

  int count() {
    return count;
  }

  void add(final DebugEntry entry) {
    entry.next = byBus.put(entry.bus, entry);
    largest = Math.max(largest, entry.size);
    count++;
  }

  /** Takes an entry out; false when it is not in. */
  boolean remove(final DebugEntry entry) {
    DebugEntry before = null;
    for (DebugEntry e = byBus.get(entry.bus); e != null; before = e, e = e.next) {
      if (e == entry) {
        if (before != null) {
          before.next = e.next;
        } else if (e.next == null) {
          byBus.remove(entry.bus);
        } else {
          byBus.put(entry.bus, e.next);
        }
        entry.next = null;
        count--;
        return true;
      }
    }
    return false;
  }

  /** Whether an entry is in. */
  boolean has(final DebugEntry entry) {
    for (DebugEntry e = byBus.get(entry.bus); e != null; e = e.next) {
      if (e == entry) {
        return true;
      }
    }
    return false;
  }

  /**
   * The entry at exactly a bus address that fits a call best, as there may be several of one buffer
   * that is reached where it is. Of equals one whose map error was asked for: another may be that
   * of a driver that is just about to ask.
   */
  @Nullable DebugEntry exact(final Reference call) {
    DebugEntry best = null;
    int bestFit = -1;
    for (DebugEntry e = byBus.get(call.bus()); e != null; e = e.next) {
      int fit = 0;
      fit += e.size == call.size() ? 8 : 0;
      fit += e.type == call.type() ? 8 : 0;
      fit += e.direction == call.direction() ? 8 : 0;
      fit += e.sgEntries == call.sgEntries() ? 8 : 0;
      fit += e.physical == call.physical() ? 4 : 0;
      fit += e.mapError != MapError.NOT_CHECKED ? 1 : 0;
      if (fit > bestFit) {
        best = e;
        bestFit = fit;
      }
    }
    return best;
  }

  /** An entry whose map error nobody has asked for. */
  @Nullable DebugEntry unchecked(final long bus) {
    for (DebugEntry e = byBus.get(bus); e != null; e = e.next) {
      if (e.mapError == MapError.NOT_CHECKED) {
        return e;
      }
    }
    return null;
  }

  /** The entry that contains a call's first byte and fits it best. */
  @Nullable DebugEntry containing(final Reference call) {
    DebugEntry best = null;
    int bestFit = -1;
    for (final DebugEntry e : overlapping(call.bus(), call.bus() + 1)) {
      int fit = 0;
      fit += call.size() <= e.busEnd() - call.bus() ? 8 : 0;
      fit += e.direction == call.direction() ? 4 : 0;
      fit += e.type == call.type() ? 2 : 0;
      fit += e.bus == call.bus() ? 1 : 0;
      if (fit > bestFit) {
        best = e;
        bestFit = fit;
      }
    }
    return best;
  }

  /** All entries that share a byte with a run of bus addresses. */
  List<DebugEntry> overlapping(final long start, final long end) {
    final List<DebugEntry> found = new ArrayList<>();
    final NavigableMap<Long, DebugEntry> below = byBus.headMap(end, false).descendingMap();
    for (final Map.Entry<Long, DebugEntry> at : below.entrySet()) {
      if (start - at.getKey() >= largest) {
        break;
      }
      for (DebugEntry e = at.getValue(); e != null; e = e.next) {
        if (e.busEnd() > start) {
          found.add(e);
        }
      }
    }
    return found;
  }

  /** All entries, by bus address. */
  List<DebugEntry> all() {
    final List<DebugEntry> found = new ArrayList<>(count);
    for (final DebugEntry chain : byBus.values()) {
      for (DebugEntry e = chain; e != null; e = e.next) {
        found.add(e);
      }
    }
    return found;
  }

  void clear() {
    byBus.clear();
    count = 0;
  }
}
