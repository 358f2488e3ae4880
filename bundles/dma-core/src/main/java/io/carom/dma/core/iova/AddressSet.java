package io.carom.dma.core.iova;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * A set of addresses as ranges that neither touch nor overlap, from which ranges are taken top
 * down. Ends are exclusive; all addresses are from 0 to below 2^62, so that no sum overflows. Not
 * thread-safe.
 *
 * <p>Ranges are also sorted by size class (the power of two below their size), so that a range is
 * found without a walk over all that are too small. In the classes of twice the wanted size and
 * more the highest range always fits, wherever it starts; only the two classes below have to be
 * walked.
 */
final class AddressSet {
  private final TreeMap<Long, Long> ends = new TreeMap<>(); // by start
  private final TreeMap<Long, Long>[] classes = classes();
  private long bytes;

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static TreeMap<Long, Long>[] classes() {
    final TreeMap<Long, Long>[] made = new TreeMap[Long.SIZE];
    for (int i = 0; i < made.length; i++) {
      made[i] = new TreeMap<>();
    }
    return made;
  }

  /** Bytes of all ranges. */
  long bytes() {
    return bytes;
  }

  /** Bytes of the part of the set in {@code [from, to)}. */
  long bytes(final long from, final long to) {
    long sum = 0;
    final Map.Entry<Long, Long> below = ends.lowerEntry(from);
    if (below != null) {
      sum += Math.max(0, Math.min(below.getValue(), to) - from);
    }
    for (final Map.Entry<Long, Long> range : ends.tailMap(from, true).headMap(to).entrySet()) {
      sum += Math.min(range.getValue(), to) - range.getKey();
    }
    return sum;
  }

  /** Adds a range; what is in the set already stays there. */
  void add(final long start, final long end) {
    if (start >= end) {
      return;
    }
    long from = start;
    long to = end;
    final Map.Entry<Long, Long> below = ends.lowerEntry(start);
    if (below != null && below.getValue() >= start) {
      from = below.getKey();
      to = Math.max(to, below.getValue());
      erase(from, below.getValue());
    }
    for (Map.Entry<Long, Long> next = ends.ceilingEntry(from);
        next != null && next.getKey() <= to;
        next = ends.ceilingEntry(from)) {
      to = Math.max(to, next.getValue());
      erase(next.getKey(), next.getValue());
    }
    insert(from, to);
  }

  /** Takes a range out, as much of it as is there. */
  void remove(final long start, final long end) {
    if (start >= end) {
      return;
    }
    final Map.Entry<Long, Long> below = ends.lowerEntry(start);
    if (below != null && below.getValue() > start) {
      cut(below.getKey(), below.getValue(), start, end);
    }
    for (Map.Entry<Long, Long> next = ends.ceilingEntry(start);
        next != null && next.getKey() < end;
        next = ends.ceilingEntry(start)) {
      cut(next.getKey(), next.getValue(), start, end);
    }
  }

  /** Takes {@code [start, end)} out of a range of the set. */
  private void cut(final long from, final long to, final long start, final long end) {
    erase(from, to);
    if (from < start) {
      insert(from, start);
    }
    if (end < to) {
      insert(end, to);
    }
  }

  /**
   * Takes the highest range there is.
   *
   * @param wanted bytes, at least 1
   * @param align a power of two, at least {@code wanted}
   * @param limit end, exclusive, that the range must not pass
   * @return its start, a multiple of {@code align}, or -1
   */
  long take(final long wanted, final long align, final long limit) {
    long best = -1;
    for (int c = sizeClass(wanted); c < classes.length; c++) {
      final NavigableMap<Long, Long> lower = classes[c].headMap(limit, false).descendingMap();
      for (final Map.Entry<Long, Long> range : lower.entrySet()) {
        final long end = Math.min(range.getValue(), limit);
        if (end - wanted <= best) {
          break;
        }
        final long start = (end - wanted) & -align;
        if (start >= range.getKey() && start > best) {
          best = start;
          break;
        }
      }
    }
    if (best >= 0) {
      final Map.Entry<Long, Long> range = ends.floorEntry(best);
      cut(range.getKey(), range.getValue(), best, best + wanted);
    }
    return best;
  }

  private static int sizeClass(final long size) {
    return Long.SIZE - 1 - Long.numberOfLeadingZeros(size);
  }

  private void insert(final long start, final long end) {
    ends.put(start, end);
    classes[sizeClass(end - start)].put(start, end);
    bytes += end - start;
  }

  private void erase(final long start, final long end) {
    ends.remove(start);
    classes[sizeClass(end - start)].remove(start);
    bytes -= end - start;
  }
}
