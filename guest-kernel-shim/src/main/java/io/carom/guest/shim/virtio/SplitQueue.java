package io.carom.guest.shim.virtio;

import static io.carom.virtio.SplitRingDescriptor.DESC_ADDR;
import static io.carom.virtio.SplitRingDescriptor.DESC_FLAGS;
import static io.carom.virtio.SplitRingDescriptor.DESC_F_INDIRECT;
import static io.carom.virtio.SplitRingDescriptor.DESC_F_NEXT;
import static io.carom.virtio.SplitRingDescriptor.DESC_F_WRITE;
import static io.carom.virtio.SplitRingDescriptor.DESC_LEN;
import static io.carom.virtio.SplitRingDescriptor.DESC_NEXT;
import static io.carom.virtio.SplitRingDescriptor.DESC_SIZE;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Driver side of a split virtqueue (virtio 1.4, section Split Virtqueues).
 *
 * <p>Protocol. One thread at a time owns the queue. Against the device: an entry is written before
 * the driver area's idx is released; the device area's idx is acquired before its entries are read;
 * between the release of idx and the look at what the device asked for lies a full fence, and so
 * between asking for an interrupt and the last look at the device's idx. Each field that the device
 * writes is read once, into a local.
 *
 * <p>Descriptors that are free are linked in {@link #links}, which also remembers what a chain
 * consists of: the table itself is written, never read. With IN_ORDER descriptors are taken in the
 * order of the table, and a chain's next is always the descriptor behind.
 */
public final class SplitQueue extends Ring {
  private final int mask;
  private final MemorySegment desc;
  private final MemorySegment avail;
  private final MemorySegment used;
  private final long usedEvent;
  private final long availEvent;
  private final int[] links;
  private int firstFree;
  private int free;
  private int availIndex;
  private int publishedIndex;
  private int usedIndex;
  private int seenIndex;

  /**
   * Allocates the three areas, and indirect tables, from coherent memory.
   *
   * @param size entries, a power of two
   * @param largestChain most buffers of a chain; 1 for a queue that needs no indirect tables
   * @throws DmaMemoryException when there is none; nothing is kept then
   */
  public SplitQueue(final DmaDevice dma, final int number, final int size, final int largestChain) {
    super(
        dma,
        number,
        size,
        largestChain,
        SplitRingDescriptor.descBytes(size),
        SplitRingDescriptor.availBytes(size),
        SplitRingDescriptor.usedBytes(size));
    mask = size - 1;
    desc = area(0).memory();
    avail = area(1).memory();
    used = area(2).memory();
    usedEvent = SplitRingDescriptor.usedEvent(size);
    availEvent = SplitRingDescriptor.availEvent(size);
    links = new int[size];
  }

  @Override
  void reset() {
    for (int i = 0; i < links.length; i++) {
      links[i] = i + 1 & mask;
    }
    firstFree = 0;
    free = size();
    availIndex = 0;
    publishedIndex = 0;
    usedIndex = 0;
    seenIndex = 0;
  }

  @Override
  int room() {
    return free;
  }

  @Override
  int put(final BufferList buffers, final @Nullable IndirectTables into) {
    final int head = firstFree;
    final int count = buffers.count();
    final int readable = buffers.readable();
    if (into == null) {
      int at = head;
      for (int i = 0; i < count; i++) {
        final int next = links[at];
        final int flags = (i < readable ? 0 : DESC_F_WRITE) | (i + 1 < count ? DESC_F_NEXT : 0);
        final long address = wire(buffers.address(i));
        write(desc, SplitRingDescriptor.desc(at), address, buffers.length(i), flags, next);
        at = next;
      }
      firstFree = at;
      free -= count;
    } else {
      final long table = into.offset(head);
      final MemorySegment memory = into.memory();
      for (int i = 0; i < count; i++) {
        final boolean last = i + 1 == count;
        final int flags = (i < readable ? 0 : DESC_F_WRITE) | (last ? 0 : DESC_F_NEXT);
        final long address = wire(buffers.address(i));
        final long at = table + SplitRingDescriptor.desc(i);
        write(memory, at, address, buffers.length(i), flags, last ? 0 : i + 1);
      }
      final long address = wire(into.address(head));
      final long at = SplitRingDescriptor.desc(head);
      write(desc, at, address, count * DESC_SIZE, DESC_F_INDIRECT, 0);
      firstFree = links[head];
      free--;
    }
    avail.set(U16, SplitRingDescriptor.availEntry(availIndex & mask), (short) head);
    availIndex = availIndex + 1 & 0xffff;
    return head;
  }

  private static void write(
      final MemorySegment table,
      final long at,
      final long address,
      final int length,
      final int flags,
      final int next) {
    table.set(U64, at + DESC_ADDR, address);
    table.set(U32, at + DESC_LEN, length);
    table.set(U16, at + DESC_FLAGS, (short) flags);
    table.set(U16, at + DESC_NEXT, (short) next);
  }

  @Override
  boolean show() {
    final int from = publishedIndex;
    SHORT.setRelease(avail, (long) SplitRingDescriptor.IDX, (short) availIndex);
    publishedIndex = availIndex;
    VarHandle.fullFence(); // idx is visible before we look whether the device sleeps
    if (options().eventIndex()) {
      return SplitRingDescriptor.needsEvent(load(used, availEvent), availIndex, from);
    }
    final int flags = load(used, SplitRingDescriptor.FLAGS);
    return (flags & SplitRingDescriptor.USED_F_NO_NOTIFY) == 0;
  }

  @Override
  int position() {
    return availIndex; // bits 14..0 are next_off, bit 15 is next_wrap
  }

  @Override
  boolean used() {
    return seenIndex != usedIndex || usedIndexOfDevice() != usedIndex;
  }

  @Override
  int look() {
    if (seenIndex == usedIndex) {
      seenIndex = usedIndexOfDevice();
    }
    final int count = seenIndex - usedIndex & 0xffff;
    if (count == 0) {
      return 0;
    }
    if (count > outstanding()) {
      violate("used index is ahead of what was made available");
      return 0;
    }
    final long at = SplitRingDescriptor.usedEntry(usedIndex & mask);
    found(used.get(U32, at) & 0xffff_ffffL, used.get(U32, at + Integer.BYTES) & 0xffff_ffffL);
    return count;
  }

  @Override
  void retire(final int id, final int descriptors) {
    if (!options().inOrder()) {
      int last = id;
      for (int i = 1; i < descriptors; i++) {
        last = links[last];
      }
      links[last] = firstFree;
      firstFree = id;
    }
    free += descriptors;
    usedIndex = usedIndex + 1 & 0xffff;
  }

  @Override
  public boolean enableInterrupts() {
    if (options().eventIndex()) {
      store(usedEvent, usedIndex);
    } else {
      store(SplitRingDescriptor.FLAGS, 0);
    }
    VarHandle.fullFence(); // the wish is visible before we look for the last time
    return pending();
  }

  @Override
  public void disableInterrupts() {
    if (options().eventIndex()) {
      // the entry just behind us comes round again only after 2^16 others
      store(usedEvent, usedIndex - 1);
    } else {
      store(SplitRingDescriptor.FLAGS, SplitRingDescriptor.AVAIL_F_NO_INTERRUPT);
    }
  }

  private int usedIndexOfDevice() {
    return (short) SHORT.getAcquire(used, (long) SplitRingDescriptor.IDX) & 0xffff;
  }

  private static int load(final MemorySegment area, final long at) {
    return (short) SHORT.getOpaque(area, at) & 0xffff;
  }

  private void store(final long at, final int value) {
    SHORT.setOpaque(avail, at, (short) value);
  }
}
