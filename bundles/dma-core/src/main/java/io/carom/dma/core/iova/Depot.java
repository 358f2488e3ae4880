package io.carom.dma.core.iova;

import org.jspecify.annotations.Nullable;

/**
 * Full magazines between stripes, at most so many of each order, and the empty ones that they were
 * exchanged for. Its monitor is held for a few loads and stores.
 */
final class Depot {
  /** Sizes of 1, 2, 4, 8, 16 and 32 granules. */
  static final int ORDERS = 6;

  private final @Nullable Magazine[][] full;
  private final int[] used = new int[ORDERS];
  private final @Nullable Magazine[] empties;
  private int spare;

  /** A depot with room for {@code capacity} full magazines of each order. */
  Depot(final int capacity) {
    full = new Magazine[ORDERS][capacity];
    empties = new Magazine[ORDERS * capacity];
  }

  /** Exchanges an empty magazine for a full one, or returns the same. */
  synchronized Magazine full(final int order, final Magazine empty) {
    if (used[order] == 0) {
      return empty;
    }
    final Magazine magazine = full[order][--used[order]];
    full[order][used[order]] = null;
    if (magazine == null) {
      throw new IllegalStateException("depot of order " + order + " lost a magazine");
    }
    if (spare < empties.length) {
      empties[spare++] = empty;
    }
    return magazine;
  }

  /** Exchanges a full magazine for an empty one, or returns null when there is no room. */
  synchronized @Nullable Magazine empty(final int order, final Magazine magazine) {
    if (used[order] == full[order].length) {
      return null;
    }
    full[order][used[order]++] = magazine;
    if (spare == 0) {
      return new Magazine();
    }
    final Magazine empty = empties[--spare];
    empties[spare] = null;
    return empty == null ? new Magazine() : empty;
  }

  /** Ranges of an order. */
  synchronized long ranges(final int order) {
    return (long) used[order] * Magazine.SIZE;
  }
}
