package io.carom.machine.bus;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An immutable state of the address map: disjoint ranges in ascending order. */
final class MapTable {
  private final long[] bases;
  private final MapEntry[] entries;

  MapTable(final List<MapEntry> sorted) {
    entries = sorted.toArray(new MapEntry[0]);
    bases = new long[entries.length];
    for (int i = 0; i < bases.length; i++) {
      bases[i] = entries[i].base();
    }
  }

  /** The entry that holds all of a run, or null. */
  @Nullable MapEntry find(final long address, final long length) {
    int low = 0;
    int high = bases.length - 1;
    while (low <= high) {
      final int middle = (low + high) >>> 1;
      if (bases[middle] <= address) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high >= 0 && entries[high].holds(address, length) ? entries[high] : null;
  }

  /** The first entry that a run touches, or null. */
  @Nullable MapEntry overlap(final long address, final long length) {
    for (final MapEntry entry : entries) {
      if (entry.touches(address, length)) {
        return entry;
      }
    }
    return null;
  }

  /** Whether an entry, this very one, is in the table. */
  boolean has(final MapEntry entry) {
    for (final MapEntry other : entries) {
      if (other == entry) {
        return true;
      }
    }
    return false;
  }

  /** This table and one more entry, which overlaps none. */
  MapTable with(final MapEntry added) {
    final List<MapEntry> list = new ArrayList<>(List.of(entries));
    int at = 0;
    while (at < bases.length && bases[at] < added.base()) {
      at++;
    }
    list.add(at, added);
    return new MapTable(list);
  }

  /** This table without an entry. */
  MapTable without(final MapEntry removed) {
    final List<MapEntry> list = new ArrayList<>(List.of(entries));
    list.removeIf(entry -> entry == removed); // identity: an equal record may have been put there
    return new MapTable(list);
  }
}
