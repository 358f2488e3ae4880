package io.carom.dma.core.iova;

import io.carom.dma.core.pool.StripeLock;

/**
 * One stripe's magazines: a loaded and a previous one for each order, so that a thread that leases
 * and gives back in turn at a border does not go to the depot each time. All under its lock; the
 * depot's is taken inside it.
 */
final class Rack extends StripeLock {
  private final Magazine[] loaded = new Magazine[Depot.ORDERS];
  private final Magazine[] previous = new Magazine[Depot.ORDERS];

  /** Bytes leased less bytes given back here; only the sum over all racks means something. */
  long leased;

  Rack() {
    for (int order = 0; order < Depot.ORDERS; order++) {
      loaded[order] = new Magazine();
      previous[order] = new Magazine();
    }
  }

  private void swap(final int order) {
    final Magazine magazine = loaded[order];
    loaded[order] = previous[order];
    previous[order] = magazine;
  }

  /** A range of an order that starts at {@code highest} or below, or -1. */
  long get(final int order, final long highest, final Depot depot) {
    final long iova = loaded[order].pop(highest);
    if (iova >= 0) {
      return iova;
    }
    if (previous[order].used() != 0) {
      swap(order);
      return loaded[order].pop(highest);
    }
    if (loaded[order].used() == 0) {
      loaded[order] = depot.full(order, loaded[order]);
      return loaded[order].pop(highest);
    }
    return -1;
  }

  /** Keeps a range; false when both magazines and the depot are full. */
  boolean put(final int order, final long iova, final Depot depot) {
    if (loaded[order].used() == Magazine.SIZE) {
      if (previous[order].used() == Magazine.SIZE) {
        final Magazine empty = depot.empty(order, loaded[order]);
        if (empty == null) {
          return false;
        }
        loaded[order] = empty;
      } else {
        swap(order);
      }
    }
    loaded[order].push(iova);
    return true;
  }

  /** Takes any range of an order, or returns -1. */
  long any(final int order) {
    final Magazine magazine = loaded[order].used() != 0 ? loaded[order] : previous[order];
    return magazine.used() == 0 ? -1 : magazine.pop();
  }

  int used(final int order) {
    return loaded[order].used() + previous[order].used();
  }
}
