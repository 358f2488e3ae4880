package io.carom.dma.core.iova;

import io.carom.dma.ScatterList;
import java.util.Arrays;

/**
 * Lays a buffer or a list out in an address range of an IOMMU domain, as Linux's map_sg does: each
 * entry begins in a granule of its own, at the offset that it has in memory. The pieces are what is
 * to be mapped there side by side; physical neighbours are one piece. Filled in again and again,
 * and grown when need be; not thread-safe.
 *
 * <p><b>Boundaries.</b> The range will be aligned to its size rounded up to a power of two, so an
 * entry crosses a boundary there exactly if it does so counted from the start of the range, or the
 * range is too small to hold one. An entry that would cross one, and could do without, is moved
 * behind it. The gap is filled with what precedes it once more, since pieces lie side by side: the
 * device reaches nothing there that it does not reach anyway.
 */
public final class Pieces {
  private final long granule;
  private long[] addresses = new long[16];
  private long[] lengths = new long[16];
  private long[] offsets = new long[16]; // of each entry's first byte, from the start of the range
  private int count;
  private int entries;
  private long ioBytes;
  private boolean unaligned;

  /**
   * No pieces.
   *
   * @param granule bytes of the domain's granule, a power of two
   */
  public Pieces(final long granule) {
    this.granule = granule;
  }

  /** Lays out a buffer. */
  public void lay(final long address, final long size) {
    clear(1);
    append(address, size, -1);
  }

  /**
   * Lays out a list.
   *
   * @param boundaryMask no run may cross a multiple of this plus one; -1 for no boundary
   */
  public void lay(final ScatterList list, final long boundaryMask) {
    clear(list.entries());
    for (int i = 0; i < list.entries(); i++) {
      append(list.address(i), list.length(i), boundaryMask);
    }
  }

  private void clear(final int most) {
    count = 0;
    entries = 0;
    ioBytes = 0;
    unaligned = false;
    if (offsets.length < most) {
      offsets = new long[Math.max(most, offsets.length * 2)];
    }
  }

  private void append(final long address, final long length, final long boundaryMask) {
    final long offset = address & (granule - 1);
    final long bytes = up(offset + length); // both of RAM, so far below 2^63
    unaligned |= offset != 0 || bytes != length;
    final long boundary = boundaryMask + 1;
    // Boundaries within a granule are where they are in memory: nothing can be done about them.
    if (boundary >= granule && offset + length <= boundary) {
      final long room = boundary - (ioBytes & boundaryMask);
      if (offset + length > room) {
        fill(room);
      }
    }
    offsets[entries++] = ioBytes + offset;
    piece(address - offset, bytes);
  }

  /** Fills a gap with what precedes it. */
  private void fill(final long gap) {
    final int last = count - 1; // a gap is never the first: there the room is a whole boundary
    final long address = addresses[last];
    final long length = lengths[last];
    for (long left = gap; left > 0; left -= length) {
      apart(address, Math.min(left, length));
    }
  }

  private void piece(final long address, final long bytes) {
    if (count != 0 && addresses[count - 1] + lengths[count - 1] == address) {
      lengths[count - 1] += bytes;
      ioBytes += bytes;
    } else {
      apart(address, bytes);
    }
  }

  private void apart(final long address, final long bytes) {
    if (count == addresses.length) {
      addresses = Arrays.copyOf(addresses, count * 2);
      lengths = Arrays.copyOf(lengths, count * 2);
    }
    addresses[count] = address;
    lengths[count] = bytes;
    count++;
    ioBytes += bytes;
  }

  private long up(final long bytes) {
    return (bytes + granule - 1) & -granule;
  }

  /** How many entries were laid out. */
  public int entries() {
    return entries;
  }

  /** How many pieces there are. */
  public int count() {
    return count;
  }

  /** Physical address of each piece, in whole granules. Not to be kept. */
  public long[] addresses() {
    return addresses;
  }

  /** Bytes of each piece, whole granules. Not to be kept. */
  public long[] lengths() {
    return lengths;
  }

  /** Bytes of address space that all pieces take. */
  public long ioBytes() {
    return ioBytes;
  }

  /** Whether an entry does not begin and end at granules: what lies beside it is mapped too. */
  public boolean unaligned() {
    return unaligned;
  }

  /** Bus address of an entry's first byte when the range begins at {@code iova}. */
  public long busAddress(final long iova, final int entry) {
    return iova + offsets[entry];
  }

  /**
   * Appends the runs to a list that was laid out. Entries that follow each other without a gap are
   * one run, while it has at most {@code maxSegmentSize} bytes and crosses no boundary.
   *
   * @param iova start of the range
   * @param boundaryMask as it was laid out
   */
  public void addRuns(
      final ScatterList list, final long iova, final long maxSegmentSize, final long boundaryMask) {
    if (entries == 0) {
      return;
    }
    long start = busAddress(iova, 0);
    long bytes = list.length(0);
    for (int i = 1; i < entries; i++) {
      final long next = busAddress(iova, i);
      final long length = list.length(i);
      final long merged = bytes + length;
      if (next == start + bytes
          && merged <= maxSegmentSize
          && (boundaryMask < 0 || merged - 1 <= boundaryMask - (start & boundaryMask))) {
        bytes = merged;
      } else {
        list.addRun(start, bytes);
        start = next;
        bytes = length;
      }
    }
    list.addRun(start, bytes);
  }
}
