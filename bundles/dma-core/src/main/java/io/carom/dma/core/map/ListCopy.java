package io.carom.dma.core.map;

import io.carom.dma.ScatterList;
import io.carom.dma.core.pool.Backing;

/** Moves bytes between the entries of a list and the one bounce buffer that they are packed in. */
final class ListCopy {
  private ListCopy() {}

  /**
   * Copies part of the packed bytes into the bounce buffer.
   *
   * @param busAddress of the first packed byte
   * @param from first packed byte
   */
  static void in(
      final CoreTables tables,
      final ScatterList list,
      final Backing backing,
      final long busAddress,
      final long from,
      final long size) {
    move(tables, list, backing, busAddress, from, size, true);
  }

  /** Copies part of the packed bytes back to the entries. */
  static void out(
      final CoreTables tables,
      final ScatterList list,
      final Backing backing,
      final long busAddress,
      final long from,
      final long size) {
    move(tables, list, backing, busAddress, from, size, false);
  }

  private static void move(
      final CoreTables tables,
      final ScatterList list,
      final Backing backing,
      final long busAddress,
      final long from,
      final long size,
      final boolean in) {
    final long end = from + size; // within the list
    long packed = 0;
    for (int i = 0; i < list.entries() && packed < end; i++) {
      final long length = list.length(i);
      final long first = Math.max(from, packed);
      final long last = Math.min(end, packed + length);
      if (first < last) {
        final long offset = tables.memory().offset(list.address(i), length) + (first - packed);
        if (in) {
          backing.copyIn(tables.copier(), offset, busAddress + first, last - first);
        } else {
          backing.copyOut(tables.copier(), offset, busAddress + first, last - first);
        }
      }
      packed += length;
    }
  }
}
