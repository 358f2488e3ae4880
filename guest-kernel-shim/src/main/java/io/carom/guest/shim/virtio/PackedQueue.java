package io.carom.guest.shim.virtio;

import static io.carom.virtio.PackedRingDescriptor.DESC_ADDR;
import static io.carom.virtio.PackedRingDescriptor.DESC_FLAGS;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_AVAIL;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_INDIRECT;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_NEXT;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_USED;
import static io.carom.virtio.PackedRingDescriptor.DESC_F_WRITE;
import static io.carom.virtio.PackedRingDescriptor.DESC_ID;
import static io.carom.virtio.PackedRingDescriptor.DESC_LEN;
import static io.carom.virtio.PackedRingDescriptor.DESC_SIZE;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.virtio.PackedRingDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Driver side of a packed virtqueue of any size (virtio 1.4, section Packed Virtqueues).
 *
 * <p>Protocol. One thread at a time owns the queue. Against the device: the flags of a list's first
 * descriptor make the list available, so they are released after everything else of it. Chains that
 * are added before they are published lie behind one whose first flags are held back: the device
 * goes through the ring in order and stops there, so releasing those flags shows it all of them at
 * once. A used descriptor's flags are acquired before its id and length are read, each once.
 * Between the release and the look at what the device asked for lies a full fence, and so between
 * asking for an interrupt and the last look at the flags.
 *
 * <p>Both wrap counters begin with 1. Where a returned list ends is known from the driver's notes
 * of its length; a used descriptor is found behind it.
 */
public final class PackedQueue extends Ring {
  private static final int WRAP_BIT = 15;
  private static final int EVENT_FLAGS_SHIFT = 16;
  private static final int EVENT_FLAGS_MASK = 3;
  private static final int OFFSET_MASK = 0x7fff;
  private static final int NOTHING_HELD = -1;

  private final MemorySegment ring;
  private final MemorySegment driverEvent;
  private final MemorySegment deviceEvent;
  private final int[] freeIds;
  private int freeIdCount;
  private int free;
  private int nextAvail;
  private boolean availWrap;
  private int nextUsed;
  private boolean usedWrap;

  /** Where the flags lie that were not written yet, or {@link #NOTHING_HELD}. */
  private int heldAt;

  private int heldFlags;

  /** Descriptors that were added since the last publication. */
  private int held;

  /**
   * Allocates the three areas, and indirect tables, from coherent memory.
   *
   * @param size entries, 1..32768
   * @param largestChain most buffers of a chain; 1 for a queue that needs no indirect tables
   * @throws DmaMemoryException when there is none; nothing is kept then
   */
  public PackedQueue(
      final DmaDevice dma, final int number, final int size, final int largestChain) {
    super(
        dma,
        number,
        size,
        largestChain,
        PackedRingDescriptor.ringBytes(size),
        PackedRingDescriptor.EVENT_SIZE,
        PackedRingDescriptor.EVENT_SIZE);
    ring = area(0).memory();
    driverEvent = area(1).memory();
    deviceEvent = area(2).memory();
    freeIds = new int[size];
  }

  @Override
  void reset() {
    for (int i = 0; i < freeIds.length; i++) {
      freeIds[i] = freeIds.length - 1 - i; // id 0 is taken first
    }
    freeIdCount = freeIds.length;
    free = size();
    nextAvail = 0;
    availWrap = true;
    nextUsed = 0;
    usedWrap = true;
    heldAt = NOTHING_HELD;
    held = 0;
  }

  @Override
  int room() {
    return free; // each list has at least one descriptor: there are as many ids
  }

  @Override
  int put(final BufferList buffers, final @Nullable IndirectTables into) {
    final int id = freeIds[--freeIdCount];
    final int head = nextAvail;
    final int first;
    if (into == null) {
      first = list(buffers, id);
    } else {
      table(buffers, id, into);
      first = DESC_F_INDIRECT | available();
      write(ring, at(head), wire(into.address(id)), buffers.count() * DESC_SIZE, id);
      advance();
    }
    if (heldAt == NOTHING_HELD) {
      heldAt = head;
      heldFlags = first;
    } else {
      SHORT.setRelease(ring, at(head) + DESC_FLAGS, (short) first);
    }
    return id;
  }

  /** Writes a list of descriptors, all but the flags of the first, which it returns. */
  private int list(final BufferList buffers, final int id) {
    final int count = buffers.count();
    final int readable = buffers.readable();
    int first = 0;
    for (int i = 0; i < count; i++) {
      final int flags =
          available() | (i < readable ? 0 : DESC_F_WRITE) | (i + 1 < count ? DESC_F_NEXT : 0);
      final long at = at(nextAvail);
      write(ring, at, wire(buffers.address(i)), buffers.length(i), id);
      if (i == 0) {
        first = flags;
      } else {
        ring.set(U16, at + DESC_FLAGS, (short) flags);
      }
      advance();
    }
    return first;
  }

  /** Writes an indirect table, in which WRITE is the only flag that counts. */
  private void table(final BufferList buffers, final int id, final IndirectTables into) {
    final MemorySegment memory = into.memory();
    final int readable = buffers.readable();
    for (int i = 0; i < buffers.count(); i++) {
      final long at = into.offset(id) + PackedRingDescriptor.desc(i);
      write(memory, at, wire(buffers.address(i)), buffers.length(i), 0);
      memory.set(U16, at + DESC_FLAGS, (short) (i < readable ? 0 : DESC_F_WRITE));
    }
  }

  private static void write(
      final MemorySegment into, final long at, final long address, final int length, final int id) {
    into.set(U64, at + DESC_ADDR, address);
    into.set(U32, at + DESC_LEN, length);
    into.set(U16, at + DESC_ID, (short) id);
  }

  private int available() {
    return availWrap ? DESC_F_AVAIL : DESC_F_USED;
  }

  /** One descriptor more is in use. */
  private void advance() {
    free--;
    held++;
    nextAvail++;
    if (nextAvail == size()) {
      nextAvail = 0;
      availWrap = !availWrap;
    }
  }

  @Override
  boolean show() {
    final int added = held;
    SHORT.setRelease(ring, at(heldAt) + DESC_FLAGS, (short) heldFlags);
    heldAt = NOTHING_HELD;
    held = 0;
    VarHandle.fullFence(); // the list is visible before we look whether the device sleeps
    final int event = (int) INT.getOpaque(deviceEvent, 0L);
    final int flags = event >>> EVENT_FLAGS_SHIFT & EVENT_FLAGS_MASK;
    if (flags == PackedRingDescriptor.EVENT_DISABLE) {
      return false;
    }
    if (flags != PackedRingDescriptor.EVENT_AT || !options().eventIndex()) {
      return true; // a reserved value is no reason to be silent
    }
    final int place = event & OFFSET_MASK;
    final boolean sameRound = (event >>> WRAP_BIT & 1) != 0 == availWrap;
    // places of the round before lie below those of this one
    return SplitRingDescriptor.needsEvent(
        sameRound ? place : place - size(), nextAvail, nextAvail - added);
  }

  @Override
  int position() {
    return nextAvail | (availWrap ? 1 << WRAP_BIT : 0);
  }

  @Override
  boolean used() {
    return isUsed((short) SHORT.getAcquire(ring, at(nextUsed) + DESC_FLAGS));
  }

  private boolean isUsed(final int flags) {
    return (flags & DESC_F_AVAIL) != 0 == usedWrap && (flags & DESC_F_USED) != 0 == usedWrap;
  }

  @Override
  int look() {
    final long at = at(nextUsed);
    final int flags = (short) SHORT.getAcquire(ring, at + DESC_FLAGS);
    if (!isUsed(flags)) {
      return 0;
    }
    if (outstanding() == 0) {
      violate("descriptor " + nextUsed + " is used, and was not made available");
      return 0;
    }
    final int id = ring.get(U16, at + DESC_ID) & 0xffff;
    final long length = ring.get(U32, at + DESC_LEN) & 0xffff_ffffL;
    // without WRITE nothing was written, and the length says nothing
    found(id, (flags & DESC_F_WRITE) != 0 ? length : 0);
    return outstanding();
  }

  @Override
  void retire(final int id, final int descriptors) {
    freeIds[freeIdCount++] = id;
    free += descriptors;
    nextUsed += descriptors;
    if (nextUsed >= size()) {
      nextUsed -= size();
      usedWrap = !usedWrap;
    }
  }

  @Override
  public boolean enableInterrupts() {
    if (options().eventIndex()) {
      final int place = nextUsed | (usedWrap ? 1 << WRAP_BIT : 0);
      INT.setOpaque(driverEvent, 0L, PackedRingDescriptor.EVENT_AT << EVENT_FLAGS_SHIFT | place);
    } else {
      INT.setOpaque(driverEvent, 0L, PackedRingDescriptor.EVENT_ENABLE << EVENT_FLAGS_SHIFT);
    }
    VarHandle.fullFence(); // the wish is visible before we look for the last time
    return pending();
  }

  @Override
  public void disableInterrupts() {
    INT.setOpaque(driverEvent, 0L, PackedRingDescriptor.EVENT_DISABLE << EVENT_FLAGS_SHIFT);
  }

  private static long at(final int index) {
    return PackedRingDescriptor.desc(index);
  }
}
