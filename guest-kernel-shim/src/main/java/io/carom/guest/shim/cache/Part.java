package io.carom.guest.shim.cache;

import io.carom.memory.PhysicalLayout;
import io.carom.virtio.BlkDescriptor;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of a transfer that lies in one page.
 *
 * @param index page of the disk
 * @param from first byte within the page
 * @param at first byte within the transfer's buffer
 * @param length bytes
 * @param pageBytes bytes of the page that the disk has: fewer at its end than elsewhere
 */
record Part(long index, int from, long at, int length, int pageBytes) {
  /** The page of a byte behind a sector. */
  static long pageOf(final long sector, final long bytes) {
    return (sector * BlkDescriptor.SECTOR + bytes) >>> PhysicalLayout.PAGE_SHIFT; // within the disk
  }

  /** Whether it is all that the page has. */
  boolean whole() {
    return length == pageBytes;
  }

  /** Its first byte on the disk. */
  long offset() {
    return (index << PhysicalLayout.PAGE_SHIFT) + from;
  }

  /**
   * Cuts a run of a disk into pages.
   *
   * @param offset first byte on the disk, and {@code at} within the buffer
   */
  static List<Part> cut(final long offset, final long at, final long length, final long capacity) {
    final List<Part> parts = new ArrayList<>();
    long done = 0;
    while (done < length) {
      final long index = (offset + done) >>> PhysicalLayout.PAGE_SHIFT;
      final long start = index << PhysicalLayout.PAGE_SHIFT;
      final int from = (int) (offset + done - start);
      final int pageBytes = (int) Math.min(PhysicalLayout.PAGE_SIZE, capacity - start);
      final int bytes = (int) Math.min(length - done, pageBytes - from);
      parts.add(new Part(index, from, at + done, bytes, pageBytes));
      done += bytes;
    }
    return parts;
  }
}
