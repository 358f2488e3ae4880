package io.carom.guest.shim.block;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.virtio.BlkDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A queue of a block device: the virtqueue, its control blocks and its slots. A slot's number is
 * its token in the queue, which checks what the device returns.
 *
 * <p>Not thread-safe: the owner of the queue's.
 */
final class BlkRing {
  /** Most buffers of a chain: header, data, status. */
  static final int CHAIN = 3;

  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int UNANSWERED = 0xff;

  private final VirtQueue queue;
  private final DmaDevice dma;
  private final CoherentBuffer control;
  private final MemorySegment memory;
  private final long base;
  private final BufferList buffers = new BufferList(CHAIN);
  private Slot[] slots = new Slot[0];
  private Slot[] free = new Slot[0];
  private int freeCount;

  /** Allocates the control blocks; throws {@code DmaMemoryException} when there is no memory. */
  BlkRing(final VirtQueue queue, final DmaDevice dma) {
    this.queue = queue;
    this.dma = dma;
    this.control = dma.allocateCoherent((long) queue.size() * ControlBlock.BYTES);
    this.memory = control.memory();
    this.base = control.busAddress();
  }

  /** Makes all slots free, as many as fit; after the device was reset, before it is started. */
  void prepare() {
    final int count = queue.capacity(CHAIN);
    slots = new Slot[count];
    free = new Slot[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new Slot(i, (long) i * ControlBlock.BYTES);
      free[count - 1 - i] = slots[i]; // slot 0 is taken first
    }
    freeCount = count;
  }

  /** Gives the control blocks back. */
  void free() {
    dma.freeCoherent(control);
  }

  VirtQueue queue() {
    return queue;
  }

  Slot[] slots() {
    return slots;
  }

  /** What the device did wrong, or null. */
  @Nullable String violation() {
    return queue.violation();
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

  /** Puts a request for a range of sectors into the ring; it lies in the control block. */
  void addRange(final Slot slot, final int type, final long sector, final int bytes) {
    final long at = slot.control + ControlBlock.RANGE;
    memory.set(U64, at + BlkDescriptor.RANGE_SECTOR, sector);
    memory.set(U32, at + BlkDescriptor.RANGE_SECTORS, bytes / BlkDescriptor.SECTOR);
    memory.set(U32, at + BlkDescriptor.RANGE_FLAGS, 0);
    add(slot, type, 0, base + at, BlkDescriptor.RANGE_SIZE, false);
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
    buffers.clear();
    buffers.readable(base + at + ControlBlock.HEADER, BlkDescriptor.REQUEST_HEADER);
    if (bytes > 0 && deviceWrites) {
      buffers.writable(data, bytes);
    } else if (bytes > 0) {
      buffers.readable(data, bytes);
    }
    buffers.writable(base + at + ControlBlock.STATUS, 1);
    slot.writable = buffers.writableBytes();
    slot.inDevice = true;
    if (!queue.add(buffers, slot.index)) {
      throw new IllegalStateException("a free slot without room for its chain");
    }
  }

  /** Takes the next request that the device has finished; null for none, or on a violation. */
  @Nullable Slot reap() {
    final long taken = queue.take();
    if (taken == VirtQueue.NONE) {
      return null;
    }
    final Slot slot = slots[VirtQueue.token(taken)]; // a token that was given to the queue
    slot.inDevice = false;
    slot.result = status(slot, VirtQueue.length(taken));
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
