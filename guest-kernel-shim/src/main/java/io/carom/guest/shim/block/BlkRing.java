package io.carom.guest.shim.block;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.virtio.SplitQueue;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A queue of a block device: the split ring, its control blocks and its slots. With indirect
 * descriptors a slot takes one descriptor of the ring, without it takes three.
 *
 * <p>Used entries are checked before anything is done with them: the id must be the head of a chain
 * that the device has, and the length at most what that chain lets it write. The first violation
 * leaves its text in {@link #violation} and ends the use of the ring until it is prepared again.
 *
 * <p>Not thread-safe: the owner of the queue's.
 */
final class BlkRing {
  /** Descriptors of a chain: header, data, status. */
  static final int CHAIN = 3;

  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int UNANSWERED = 0xff;

  private final SplitQueue queue;
  private final DmaDevice dma;
  private final CoherentBuffer control;
  private final MemorySegment memory;
  private final long base;
  private Slot[] slots = new Slot[0];
  private Slot[] free = new Slot[0];
  private int freeCount;
  private boolean indirect;
  private @Nullable String violation;

  /** Allocates the control blocks; throws {@code DmaMemoryException} when there is no memory. */
  BlkRing(final SplitQueue queue, final DmaDevice dma) {
    this.queue = queue;
    this.dma = dma;
    this.control = dma.allocateCoherent((long) queue.size() * ControlBlock.BYTES);
    this.memory = control.memory();
    this.base = control.busAddress();
  }

  /** Most chains in flight for a ring. */
  static int capacity(final int size, final boolean withIndirect) {
    return withIndirect ? size : size / CHAIN;
  }

  /** Makes all slots free; after the device was reset, before it is started. */
  void prepare(final boolean withIndirect) {
    indirect = withIndirect;
    final int count = capacity(queue.size(), withIndirect);
    slots = new Slot[count];
    free = new Slot[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new Slot(i, withIndirect ? i : i * CHAIN, (long) i * ControlBlock.BYTES);
      free[count - 1 - i] = slots[i]; // slot 0 is taken first
    }
    freeCount = count;
    violation = null;
  }

  /** Gives the control blocks back. */
  void free() {
    dma.freeCoherent(control);
  }

  SplitQueue queue() {
    return queue;
  }

  Slot[] slots() {
    return slots;
  }

  /** What the device did wrong, or null. */
  @Nullable String violation() {
    return violation;
  }

  boolean full() {
    return freeCount == 0;
  }

  boolean idle() {
    return freeCount == slots.length;
  }

  Slot acquire() {
    return free[--freeCount];
  }

  void release(final Slot slot) {
    slot.transfer = null;
    slot.bus = DmaDevice.MAPPING_ERROR;
    free[freeCount++] = slot;
  }

  /** Puts a request without data, or with its data mapped at {@code slot.bus}, into the ring. */
  void add(final Slot slot, final int type, final long sector) {
    final boolean reads = type == BlkDescriptor.T_IN;
    add(slot, type, sector, slot.bus, slot.bytes, reads);
  }

  /** Puts a GET_ID into the ring; its answer lies in the control block and needs no mapping. */
  void addGetId(final Slot slot) {
    memory.asSlice(slot.control + ControlBlock.ID, BlkDescriptor.ID_BYTES).fill((byte) 0);
    final long data = base + slot.control + ControlBlock.ID;
    add(slot, BlkDescriptor.T_GET_ID, 0, data, BlkDescriptor.ID_BYTES, true);
  }

  /** The answer to a GET_ID. */
  byte[] id(final Slot slot) {
    return memory
        .asSlice(slot.control + ControlBlock.ID, BlkDescriptor.ID_BYTES)
        .toArray(ValueLayout.JAVA_BYTE);
  }

  private void add(
      final Slot slot,
      final int type,
      final long sector,
      final long data,
      final int bytes,
      final boolean deviceWrites) {
    final long at = slot.control;
    memory.set(U64, at + ControlBlock.HEADER + BlkDescriptor.REQUEST_TYPE, type); // reserved: 0
    memory.set(U64, at + ControlBlock.HEADER + BlkDescriptor.REQUEST_SECTOR, sector);
    memory.set(ValueLayout.JAVA_BYTE, at + ControlBlock.STATUS, (byte) UNANSWERED);
    final long header = base + at + ControlBlock.HEADER;
    final long status = base + at + ControlBlock.STATUS;
    final int entries = bytes > 0 ? CHAIN : CHAIN - 1;
    final int next = SplitRingDescriptor.DESC_F_NEXT;
    final int write = SplitRingDescriptor.DESC_F_WRITE;
    int index = 0;
    describe(slot, index, header, BlkDescriptor.REQUEST_HEADER, next);
    index++;
    if (bytes > 0) {
      describe(slot, index, data, bytes, deviceWrites ? next | write : next);
      index++;
    }
    describe(slot, index, status, 1, write);
    if (indirect) {
      queue.descriptor(
          slot.head,
          base + at + ControlBlock.TABLE,
          entries * SplitRingDescriptor.DESC_SIZE,
          SplitRingDescriptor.DESC_F_INDIRECT,
          0);
    }
    slot.writable = deviceWrites ? bytes + 1L : 1L;
    slot.inDevice = true;
    queue.add(slot.head);
  }

  /** Writes descriptor {@code index} of a chain, which leads to the one behind it if to any. */
  private void describe(
      final Slot slot, final int index, final long address, final int length, final int flags) {
    if (indirect) {
      SplitQueue.write(
          memory,
          slot.control + ControlBlock.TABLE + SplitRingDescriptor.desc(index),
          address,
          length,
          flags,
          (flags & SplitRingDescriptor.DESC_F_NEXT) != 0 ? index + 1 : 0);
    } else {
      queue.descriptor(slot.head + index, address, length, flags, slot.head + index + 1);
    }
  }

  /** Takes the next request that the device has finished; null for none, or on a violation. */
  @Nullable Slot reap() {
    if (violation != null) {
      return null;
    }
    final int ready = queue.poll();
    if (ready == 0) {
      return null;
    }
    if (ready < 0) {
      violation = "used index is ahead of what was made available";
      return null;
    }
    final long entry = queue.take();
    final long id = entry & 0xffff_ffffL;
    final long length = entry >>> 32;
    final long number = indirect ? id : id / CHAIN;
    if (number >= slots.length) {
      violation = "id " + id + " out of range";
      return null;
    }
    final Slot slot = slots[(int) number]; // below slots.length, just checked
    if (slot.head != id || !slot.inDevice) {
      violation = "id " + id + " is not a head!";
      return null;
    }
    if (length > slot.writable) {
      violation = "id " + id + ": used length " + length + " exceeds " + slot.writable;
      return null;
    }
    slot.inDevice = false;
    slot.result = status(slot, length);
    return slot;
  }

  /**
   * How a request ended. Bytes behind the used length were not written (virtio 1.4, section The
   * Virtqueue Used Ring): a read that says it is fine but is short has failed.
   */
  private BlockStatus status(final Slot slot, final long length) {
    final int status = memory.get(ValueLayout.JAVA_BYTE, slot.control + ControlBlock.STATUS) & 0xff;
    return switch (status) {
      case BlkDescriptor.S_OK -> length < slot.writable ? BlockStatus.IO_ERROR : BlockStatus.OK;
      case BlkDescriptor.S_UNSUPP -> BlockStatus.UNSUPPORTED;
      default -> BlockStatus.IO_ERROR; // an error, or nothing was answered
    };
  }
}
