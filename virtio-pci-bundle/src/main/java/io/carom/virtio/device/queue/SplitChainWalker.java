package io.carom.virtio.device.queue;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Follows the descriptors of one chain of a split ring and resolves its buffers (virtio 1.4,
 * sections The Virtqueue Descriptor Table and Indirect Descriptors).
 *
 * <p>A descriptor is read once, as two longs; an indirect table is copied once before it is walked.
 * So the driver cannot change a field between its check and its use.
 *
 * <p>Every loop is bounded by the queue's size: a driver must not make a chain longer than that,
 * with or without a table. An empty table, one that is no whole number of descriptors, one in
 * another, one that the queue could not hold, and INDIRECT together with NEXT are errors; WRITE on
 * the descriptor that names a table means nothing; flags that the specification does not define are
 * ignored.
 *
 * <p>Behind an IOMMU a buffer or a table may lie in pieces. Each piece of a buffer becomes a
 * segment of the chain; all but the first and the last are whole pages at least, so a chain has at
 * most 2^20 of them and two more for each descriptor.
 */
final class SplitChainWalker {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong TABLE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle FIELD = LONG.varHandle();
  private static final int LONGS = SplitRingDescriptor.DESC_SIZE / Long.BYTES;
  private static final long LENGTH_MASK = 0xffff_ffffL;
  private static final int FLAGS_SHIFT = (SplitRingDescriptor.DESC_FLAGS - Long.BYTES) * 8;
  private static final int NEXT_SHIFT = (SplitRingDescriptor.DESC_NEXT - Long.BYTES) * 8;

  /** Bytes of the smallest page of an IOMMU. */
  private static final long LEAST_PIECE = 4096;

  private final QueueSetup setup;
  private final int size;
  private MemorySegment table = MemorySegment.NULL;
  private long[] indirect = new long[0];

  SplitChainWalker(final QueueSetup setup) {
    this.setup = setup;
    size = setup.size();
  }

  /** Sets the queue's own descriptor table. */
  void table(final MemorySegment descriptors) {
    table = descriptors;
  }

  /** Fills a chain from its head, which is below the queue's size. */
  void walk(final BusSession session, final int head, final DescriptorChain chain)
      throws QueueException {
    chain.start(head);
    int index = head;
    for (int count = 1; ; count++) {
      bounded(count);
      final long offset = SplitRingDescriptor.desc(index);
      final long address = (long) FIELD.getOpaque(table, offset);
      final long word = (long) FIELD.getOpaque(table, offset + Long.BYTES);
      final int flags = flags(word);
      if ((flags & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
        walkTable(session, address, word, count - 1, chain);
        break;
      }
      add(session, address, word, chain);
      if ((flags & SplitRingDescriptor.DESC_F_NEXT) == 0) {
        break;
      }
      index = next(word);
      if (index >= size) {
        throw new QueueException("next " + index + " is not below the queue's size " + size);
      }
    }
    chain.ready();
  }

  /** The last part of a chain: normal descriptors may precede the one that names the table. */
  private void walkTable(
      final BusSession session,
      final long address,
      final long word,
      final int before,
      final DescriptorChain chain)
      throws QueueException {
    if (!setup.indirect()) {
      throw new QueueException("an INDIRECT descriptor, but INDIRECT_DESC was not negotiated");
    }
    if ((flags(word) & SplitRingDescriptor.DESC_F_NEXT) != 0) {
      throw new QueueException("a descriptor has both INDIRECT and NEXT");
    }
    final int entries = copyTable(session, address, word & LENGTH_MASK);
    int index = 0;
    for (int count = before + 1; ; count++) {
      bounded(count);
      final long entryAddress = indirect[LONGS * index];
      final long entry = indirect[LONGS * index + 1];
      final int flags = flags(entry);
      if ((flags & SplitRingDescriptor.DESC_F_INDIRECT) != 0) {
        throw new QueueException("an INDIRECT descriptor in an indirect table");
      }
      add(session, entryAddress, entry, chain);
      if ((flags & SplitRingDescriptor.DESC_F_NEXT) == 0) {
        return;
      }
      index = next(entry);
      if (index >= entries) {
        throw new QueueException(
            "next " + index + " is not below the " + entries + " entries of the indirect table");
      }
    }
  }

  private int copyTable(final BusSession session, final long address, final long length)
      throws QueueException {
    if (length == 0 || length % SplitRingDescriptor.DESC_SIZE != 0) {
      throw new QueueException(
          "an indirect table of " + length + " bytes is not a whole number of descriptors");
    }
    final long entries = length / SplitRingDescriptor.DESC_SIZE;
    if (entries > size) {
      throw new QueueException(
          "an indirect table of "
              + entries
              + " descriptors is longer than the queue's size "
              + size);
    }
    final int longs = (int) entries * LONGS; // entries <= 32768
    if (indirect.length < longs) {
      indirect = new long[Math.min(size * LONGS, 2 * longs)];
    }
    confine(session, address, length);
    if (session.contiguous(address, length, BusAccess.READ) < length) {
      gather(session, address, length);
    } else {
      final MemorySegment from = resolve(session, address, length, BusAccess.READ);
      MemorySegment.copy(from, TABLE_LONG, 0, indirect, 0, longs);
    }
    return (int) entries;
  }

  /** Copies a table that lies in pieces; a border may run through a descriptor, even a field. */
  private void gather(final BusSession session, final long address, final long length)
      throws QueueException {
    final MemorySegment to = MemorySegment.ofArray(indirect);
    for (long done = 0; done < length; ) {
      final long piece = piece(session, address, done, length, BusAccess.READ);
      MemorySegment.copy(
          resolve(session, address + done, piece, BusAccess.READ), 0, to, done, piece);
      done += piece;
    }
    for (int i = 0; i < length / Long.BYTES; i++) {
      indirect[i] = to.get(TABLE_LONG, (long) i * Long.BYTES);
    }
  }

  private void add(
      final BusSession session, final long address, final long word, final DescriptorChain chain)
      throws QueueException {
    final long length = word & LENGTH_MASK;
    final boolean writable = (flags(word) & SplitRingDescriptor.DESC_F_WRITE) != 0;
    final BusAccess access = writable ? BusAccess.WRITE : BusAccess.READ;
    chain.check(length, writable);
    confine(session, address, length);
    for (long done = 0; done < length; ) {
      final long piece = piece(session, address, done, length, access);
      // address + done does not wrap: a run that does is one piece, and refused
      chain.add(resolve(session, address + done, piece, access), writable);
      done += piece;
    }
  }

  /** The length of the piece of a run that begins {@code done} bytes into it. */
  private static long piece(
      final BusSession session,
      final long address,
      final long done,
      final long length,
      final BusAccess access)
      throws QueueException {
    final long left = length - done;
    final long piece = session.contiguous(address + done, left, access);
    if (piece < LEAST_PIECE && piece < left && done > 0) {
      throw new QueueException(
          "a buffer at 0x"
              + Long.toHexString(address)
              + " lies in pieces of "
              + piece
              + " bytes behind the IOMMU; at least "
              + LEAST_PIECE
              + " are needed");
    }
    return piece;
  }

  /**
   * With SWIOTLB negotiated a run must lie in the function's own region: address at least the base,
   * and address plus length at most the end without wrapping, which the bus checks; at each use,
   * and not only when the queue was enabled.
   */
  private void confine(final BusSession session, final long address, final long length)
      throws QueueException {
    if (setup.restricted() && !session.inOwnRegion(address, length)) {
      throw new QueueException(
          "address 0x"
              + Long.toHexString(address)
              + ", length "
              + length
              + ", is not in the SWIOTLB region");
    }
  }

  private static MemorySegment resolve(
      final BusSession session, final long address, final long length, final BusAccess access)
      throws QueueException {
    try {
      return session.resolve(address, length, access);
    } catch (final BusFaultException e) {
      throw new QueueException("a descriptor's memory is not reachable: " + e.getMessage());
    }
  }

  private void bounded(final int count) throws QueueException {
    if (count > size) {
      throw new QueueException(
          "a chain has more descriptors than the queue's size " + size + ", or a loop");
    }
  }

  private static int flags(final long word) {
    return (int) (word >>> FLAGS_SHIFT) & 0xffff;
  }

  private static int next(final long word) {
    return (int) (word >>> NEXT_SHIFT); // the topmost 16 bits
  }
}
