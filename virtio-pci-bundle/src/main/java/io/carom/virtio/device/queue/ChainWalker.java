package io.carom.virtio.device.queue;

import io.carom.pci.BusAccess;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What walking the descriptors of both layouts has in common: a descriptor is an address and a word
 * of length, two 16-bit fields and flags; buffers are resolved, and an indirect table is copied.
 *
 * <p>A descriptor is read once, as two longs; an indirect table is copied once before it is walked.
 * So the driver cannot change a field between its check and its use.
 *
 * <p>Every loop is bounded by the queue's size: a driver must not make a chain longer than that,
 * with or without a table. An empty table, one that is no whole number of descriptors, one that the
 * queue could not hold, and INDIRECT together with NEXT are errors; WRITE on the descriptor that
 * names a table means nothing; flags that the specification does not define are ignored.
 *
 * <p>Behind an IOMMU a buffer or a table may lie in pieces. Each piece of a buffer becomes a
 * segment of the chain; all but the first and the last are whole pages at least, so a chain has at
 * most 2^20 of them and two more for each descriptor.
 */
abstract class ChainWalker {
  /** A descriptor's address, and its other fields, which are a long too. */
  static final VarHandle FIELD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  static final int DESC_SIZE = 16;
  static final int LONGS = DESC_SIZE / Long.BYTES;
  static final long LENGTH_MASK = 0xffff_ffffL;
  static final int NEXT = SplitRingDescriptor.DESC_F_NEXT; // these three are the same in both
  static final int WRITE = SplitRingDescriptor.DESC_F_WRITE;
  static final int INDIRECT = SplitRingDescriptor.DESC_F_INDIRECT;

  private static final ValueLayout.OfLong TABLE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Bytes of the smallest page of an IOMMU. */
  private static final long LEAST_PIECE = 4096;

  private static final int FEW_ENTRIES = 64;

  private final QueueMemory memory;
  private final int size;
  private final boolean indirectAllowed;
  private final BusRun run = new BusRun();
  private long[] indirect = new long[0];
  private MemorySegment indirectBytes = MemorySegment.ofArray(indirect);

  ChainWalker(final QueueSetup setup, final QueueMemory memory) {
    this.memory = memory;
    size = setup.size();
    indirectAllowed = setup.indirect();
  }

  /** The queue's size. */
  final int size() {
    return size;
  }

  /** Checks what a chain's descriptor that names a table may look like. */
  final void checkIndirect(final int flags) throws QueueException {
    if (!indirectAllowed) {
      throw new QueueException("an INDIRECT descriptor, but INDIRECT_DESC was not negotiated");
    }
    if ((flags & NEXT) != 0) {
      throw new QueueException("a descriptor has both INDIRECT and NEXT");
    }
  }

  /** Copies a table; returns its number of entries, 1..size. */
  final int copyTable(final BusSession session, final long address, final long length)
      throws QueueException {
    if (length == 0 || length % DESC_SIZE != 0) {
      throw new QueueException(
          "an indirect table of " + length + " bytes is not a whole number of descriptors");
    }
    final long entries = length / DESC_SIZE;
    if (entries > size) {
      throw new QueueException(
          "an indirect table of "
              + entries
              + " descriptors is longer than the queue's size "
              + size);
    }
    final int longs = (int) entries * LONGS; // entries <= 32768
    if (indirect.length < longs) {
      indirect = new long[Math.min(size * LONGS, Math.max(2 * longs, FEW_ENTRIES * LONGS))];
      indirectBytes = MemorySegment.ofArray(indirect);
    }
    memory.confine(session, address, length);
    if (memory.contiguous(session, address, length, BusAccess.READ) < length) {
      gather(session, address, length);
    } else {
      memory.resolve(session, address, length, BusAccess.READ, run);
      MemorySegment.copy(run.memory(), TABLE_LONG, run.offset(), indirect, 0, longs);
    }
    return (int) entries;
  }

  /** The address in an entry of the table copied last. */
  final long entryAddress(final int index) {
    return indirect[LONGS * index];
  }

  /** The other fields of an entry of the table copied last. */
  final long entryWord(final int index) {
    return indirect[LONGS * index + 1];
  }

  /** Copies a table that lies in pieces; a border may run through a descriptor, even a field. */
  private void gather(final BusSession session, final long address, final long length)
      throws QueueException {
    for (long done = 0; done < length; ) {
      final long piece = piece(session, address, done, length, BusAccess.READ);
      memory.resolve(session, address + done, piece, BusAccess.READ, run);
      MemorySegment.copy(run.memory(), run.offset(), indirectBytes, done, piece);
      done += piece;
    }
    for (int i = 0; i < length / Long.BYTES; i++) {
      indirect[i] = indirectBytes.get(TABLE_LONG, (long) i * Long.BYTES);
    }
  }

  /** Resolves a buffer, and appends it to the chain. */
  final void add(
      final BusSession session,
      final long address,
      final long length,
      final boolean writable,
      final DescriptorChain chain)
      throws QueueException {
    final BusAccess access = writable ? BusAccess.WRITE : BusAccess.READ;
    chain.check(length, writable);
    memory.confine(session, address, length);
    for (long done = 0; done < length; ) {
      final long piece = piece(session, address, done, length, access);
      // address + done does not wrap: a run that does is one piece, and refused
      memory.resolve(session, address + done, piece, access, run);
      chain.add(run.memory(), run.offset(), piece, writable);
      done += piece;
    }
  }

  /** The length of the piece of a run that begins {@code done} bytes into it. */
  private long piece(
      final BusSession session,
      final long address,
      final long done,
      final long length,
      final BusAccess access)
      throws QueueException {
    final long left = length - done;
    final long piece = memory.contiguous(session, address + done, left, access);
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

  /** Checks the number of a chain's descriptors so far. */
  final void bounded(final int count) throws QueueException {
    if (count > size) {
      throw new QueueException(
          "a chain has more descriptors than the queue's size " + size + ", or a loop");
    }
  }
}
