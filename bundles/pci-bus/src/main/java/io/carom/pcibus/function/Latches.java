package io.carom.pcibus.function;

import io.carom.pci.SlotRecord.Doorbell;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Doorbells that were rung while nobody was there: the last store to each place, in the order of
 * those stores. There are no more of them than declared doorbells have bytes. Guarded by who has
 * it.
 */
final class Latches {
  private record Place(int bar, long offset) {}

  private final Map<Place, Doorbell> latched = new LinkedHashMap<>();

  /** Latches a store in place of an earlier one to the same place. */
  void latch(final int bar, final long offset, final int width, final long value) {
    final Place place = new Place(bar, offset);
    latched.remove(place); // the order is that of the last stores
    latched.put(place, new Doorbell(bar, offset, width, value));
  }

  boolean isEmpty() {
    return latched.isEmpty();
  }

  /** Takes all out, oldest first. */
  List<Doorbell> take() {
    final List<Doorbell> taken = new ArrayList<>(latched.values());
    latched.clear();
    return taken;
  }
}
