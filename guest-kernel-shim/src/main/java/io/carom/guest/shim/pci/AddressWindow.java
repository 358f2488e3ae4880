package io.carom.guest.shim.pci;

import java.util.Map;
import java.util.TreeMap;

/**
 * The free addresses of one BAR window, handed out first fit and naturally aligned, as BARs demand
 * (PCI 3.0, section 6.2.5.1: the low bits of a base below the BAR's size read zero). Not
 * thread-safe: the work thread's.
 */
final class AddressWindow {
  static final long NONE = -1L;

  private final TreeMap<Long, Long> free = new TreeMap<>(); // base -> end, neither adjacent

  AddressWindow(final long base, final long limit) {
    free.put(base, limit);
  }

  /** Takes a run whose base is a multiple of its size, a power of two; {@link #NONE} if none. */
  long allocate(final long size) {
    for (final Map.Entry<Long, Long> run : free.entrySet()) {
      final long base = aligned(run.getKey(), size);
      if (base + size <= run.getValue()) {
        take(run.getKey(), run.getValue(), base, base + size);
        return base;
      }
    }
    return NONE;
  }

  // windows end at 2^40 and a size is at most 2^62: no sum of the two can overflow
  private static long aligned(final long start, final long size) {
    return (start + size - 1) & -size;
  }

  private void take(final long start, final long end, final long from, final long to) {
    free.remove(start);
    if (start < from) {
      free.put(start, from);
    }
    if (to < end) {
      free.put(to, end);
    }
  }

  /** Gives a run back and joins it with its free neighbours. */
  void free(final long base, final long size) {
    long start = base;
    long end = base + size;
    final Map.Entry<Long, Long> before = free.floorEntry(base);
    if (before != null && before.getValue() > base) {
      throw new IllegalStateException("address 0x" + Long.toHexString(base) + " is free already");
    }
    if (before != null && before.getValue() == base) {
      start = before.getKey();
    }
    final Long after = free.remove(end);
    if (after != null) {
      end = after;
    }
    free.put(start, end);
  }
}
