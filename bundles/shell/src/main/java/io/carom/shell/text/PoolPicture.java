package io.carom.shell.text;

import io.carom.dma.PoolOccupancy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A pool's slots as characters, by bus address: as many slots to a character, a power of two, as it
 * takes for the picture to fit a screen. A line holds a power of two of characters, so that slot
 * sets lie one under another; an extent begins with a character of its own.
 */
final class PoolPicture {
  /** A picture for one screen beside its legend. */
  private static final int MOST_LINES = 32;

  private static final int FEWEST_CELLS = 16;
  private static final int MOST_CELLS = 128;
  private static final int SLOT_SHIFT = 11;
  private static final char FREE = '.';

  private record Extent(long address, long slots, int firstCell) {}

  private final SlotOwners owners;
  private final int addressWidth;
  private final int cellsPerLine;
  private final long scale;
  private final TreeMap<Long, Extent> extents = new TreeMap<>();
  private final int[][] counts;
  private final int[] capacity;
  private final long[] addresses;

  PoolPicture(final PoolOccupancy pool, final SlotOwners owners, final int columns) {
    this.owners = owners;
    final List<PoolOccupancy.Run> sorted = new ArrayList<>(pool.extents());
    sorted.sort(Comparator.comparingLong(run -> address(run.busAddress())));
    addressWidth = sorted.stream().mapToInt(run -> run.busAddress().length()).max().orElse(0);
    cellsPerLine =
        Math.clamp(
            Integer.highestOneBit(Math.max(1, columns - addressWidth - 2)),
            FEWEST_CELLS,
            MOST_CELLS);
    scale = scale(sorted, (long) cellsPerLine * MOST_LINES);
    final int cells = (int) cells(sorted, scale);
    counts = new int[cells][owners.all().size()];
    capacity = new int[cells];
    addresses = new long[cells];
    layOut(sorted);
    pool.runs().forEach(this::count);
  }

  /** How many slots a character stands for. */
  long slotsPerCell() {
    return scale;
  }

  private static long scale(final List<PoolOccupancy.Run> extents, final long most) {
    long scale = 1;
    // with one character for each extent it gets no smaller
    while (cells(extents, scale) > Math.max(most, extents.size())) {
      scale *= 2;
    }
    return scale;
  }

  private static long cells(final List<PoolOccupancy.Run> extents, final long scale) {
    return extents.stream().mapToLong(run -> (run.slots() + scale - 1) / scale).sum();
  }

  private void layOut(final List<PoolOccupancy.Run> sorted) {
    int cell = 0;
    for (final PoolOccupancy.Run run : sorted) {
      final long start = address(run.busAddress());
      extents.put(start, new Extent(start, run.slots(), cell));
      for (long slot = 0; slot < run.slots(); slot += scale) {
        capacity[cell] = (int) Math.min(scale, run.slots() - slot);
        addresses[cell] = start + (slot << SLOT_SHIFT);
        cell++;
      }
    }
  }

  private void count(final PoolOccupancy.Run run) {
    final Map.Entry<Long, Extent> entry = extents.floorEntry(address(run.busAddress()));
    if (entry == null) {
      return; // the extent came after the snapshot of the extents
    }
    final Extent extent = entry.getValue();
    final int owner = owners.index(run);
    final long first = (address(run.busAddress()) - extent.address()) >> SLOT_SHIFT;
    final long end = Math.min(first + run.slots(), extent.slots());
    for (long slot = first; slot < end; slot++) {
      counts[extent.firstCell() + (int) (slot / scale)][owner]++;
    }
  }

  /** The lines. */
  String text() {
    final StringBuilder out = new StringBuilder();
    for (int cell = 0; cell < counts.length; cell++) {
      if (cell % cellsPerLine == 0) {
        final String address = "0x" + Long.toHexString(addresses[cell]);
        out.append(cell == 0 ? "" : "\n")
            .append(" ".repeat(Math.max(0, addressWidth - address.length())))
            .append(address)
            .append("  ");
      }
      out.append(symbol(cell));
    }
    return out.toString();
  }

  private char symbol(final int cell) {
    int most = -1;
    int used = 0;
    for (int owner = 0; owner < counts[cell].length; owner++) {
      used += counts[cell][owner];
      if (counts[cell][owner] > (most < 0 ? 0 : counts[cell][most])) {
        most = owner;
      }
    }
    if (most < 0) {
      return FREE;
    }
    final char symbol = owners.all().get(most).symbol();
    return used < capacity[cell] ? Character.toLowerCase(symbol) : symbol;
  }

  private static long address(final String hex) {
    return Long.parseUnsignedLong(hex.substring(2), 16);
  }
}
