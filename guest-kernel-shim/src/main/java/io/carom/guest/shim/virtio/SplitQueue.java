package io.carom.guest.shim.virtio;

import static io.carom.virtio.SplitRingDescriptor.DESC_ADDR;
import static io.carom.virtio.SplitRingDescriptor.DESC_FLAGS;
import static io.carom.virtio.SplitRingDescriptor.DESC_LEN;
import static io.carom.virtio.SplitRingDescriptor.DESC_NEXT;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.memory.SystemBus;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Driver side of a split virtqueue (virtio 1.4, section Split Virtqueues).
 *
 * <p>Protocol. One thread at a time owns the queue and calls its methods; ownership passes with a
 * happens-before edge that the owner provides. Against the device: an entry is written before the
 * driver area's idx is released; the device area's idx is acquired before its entries are read;
 * between the release of idx and the look at what the device asked for lies a full fence, and so
 * between asking for an interrupt and the last look at the device's idx. Each field that the device
 * writes is read once, into a local.
 *
 * <p>Nothing that the device writes is believed: {@link #poll} refuses more used entries than there
 * are chains outstanding, and hands out raw ids and lengths for the owner to check.
 */
public final class SplitQueue {
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INDEX = U16.varHandle();

  private final SystemBus bus;
  private final DmaDevice dma;
  private final int number;
  private final int size;
  private final CoherentBuffer desc;
  private final CoherentBuffer avail;
  private final CoherentBuffer used;
  private final MemorySegment descMemory;
  private final MemorySegment availMemory;
  private final MemorySegment usedMemory;
  private boolean eventIndex;
  private long doorbell;
  private int availIndex;
  private int publishedIndex;
  private int usedIndex;
  private int outstanding;
  private long kicks;

  /**
   * Allocates the three areas from coherent memory.
   *
   * @throws DmaMemoryException when there is none; nothing is kept then
   */
  public SplitQueue(final SystemBus bus, final DmaDevice dma, final int number, final int size) {
    this.bus = bus;
    this.dma = dma;
    this.number = number;
    this.size = size;
    final CoherentBuffer[] areas = new CoherentBuffer[3];
    try {
      areas[0] = dma.allocateCoherent(SplitRingDescriptor.descBytes(size));
      areas[1] = dma.allocateCoherent(SplitRingDescriptor.availBytes(size));
      areas[2] = dma.allocateCoherent(SplitRingDescriptor.usedBytes(size));
    } catch (final DmaMemoryException e) {
      for (final CoherentBuffer area : areas) {
        if (area != null) {
          dma.freeCoherent(area);
        }
      }
      throw e;
    }
    this.desc = areas[0];
    this.avail = areas[1];
    this.used = areas[2];
    this.descMemory = desc.memory();
    this.availMemory = avail.memory();
    this.usedMemory = used.memory();
  }

  /** The queue's number. */
  public int number() {
    return number;
  }

  /** Entries. */
  public int size() {
    return size;
  }

  /** Doorbell writes so far. */
  public long kicks() {
    return kicks;
  }

  /** Makes the queue as new, before it is enabled. */
  public void prepare(final boolean withEventIndex) {
    eventIndex = withEventIndex;
    descMemory.fill((byte) 0);
    availMemory.fill((byte) 0);
    usedMemory.fill((byte) 0);
    availIndex = 0;
    publishedIndex = 0;
    usedIndex = 0;
    outstanding = 0;
    disableInterrupts();
  }

  /** Where to ring when the device wants to be told. */
  public void doorbell(final long address) {
    doorbell = address;
  }

  /** Bus address of the descriptor area. */
  public long descAddress() {
    return desc.busAddress();
  }

  /** Bus address of the driver area. */
  public long availAddress() {
    return avail.busAddress();
  }

  /** Bus address of the device area. */
  public long usedAddress() {
    return used.busAddress();
  }

  /** Gives the areas back; the device must have been reset. */
  public void free() {
    dma.freeCoherent(desc);
    dma.freeCoherent(avail);
    dma.freeCoherent(used);
  }

  /** Writes a descriptor of the ring itself. */
  public void descriptor(
      final int index, final long address, final int length, final int flags, final int next) {
    write(descMemory, SplitRingDescriptor.desc(index), address, length, flags, next);
  }

  /** Writes a descriptor of any table. */
  public static void write(
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

  /** Puts a chain into the ring; the device sees it with the next {@link #publish}. */
  public void add(final int head) {
    availMemory.set(U16, SplitRingDescriptor.availEntry(availIndex & size - 1), (short) head);
    availIndex = availIndex + 1 & 0xffff;
  }

  /** Whether chains were added that the device was not shown yet. */
  public boolean unpublished() {
    return availIndex != publishedIndex;
  }

  /** Shows the device what was added, and rings the doorbell if it wants to be told. */
  public void publish() {
    final int from = publishedIndex;
    INDEX.setRelease(availMemory, (long) SplitRingDescriptor.IDX, (short) availIndex);
    publishedIndex = availIndex;
    outstanding += availIndex - from & 0xffff;
    VarHandle.fullFence(); // idx is visible before we look whether the device sleeps
    final boolean wanted;
    if (eventIndex) {
      final int event = load(usedMemory, SplitRingDescriptor.availEvent(size));
      wanted = SplitRingDescriptor.needsEvent(event, availIndex, from);
    } else {
      final int flags = load(usedMemory, SplitRingDescriptor.FLAGS);
      wanted = (flags & SplitRingDescriptor.USED_F_NO_NOTIFY) == 0;
    }
    if (wanted) {
      kicks++;
      bus.write(doorbell, 2, number);
    }
  }

  /**
   * How many used entries can be taken.
   *
   * @return the number, or -1 when the device claims more than it was given: its index jumped
   */
  public int poll() {
    final int index = (short) INDEX.getAcquire(usedMemory, (long) SplitRingDescriptor.IDX) & 0xffff;
    final int count = index - usedIndex & 0xffff;
    return count <= outstanding ? count : -1;
  }

  /** The next used entry, raw: id in the low half, length in the high half. {@link #poll} first. */
  public long take() {
    final long at = SplitRingDescriptor.usedEntry(usedIndex & size - 1);
    final long entry = usedMemory.get(U32, at) & 0xffff_ffffL;
    final long length = usedMemory.get(U32, at + Integer.BYTES) & 0xffff_ffffL;
    usedIndex = usedIndex + 1 & 0xffff;
    outstanding--;
    return length << 32 | entry;
  }

  /**
   * Asks for an interrupt when the next entry is used.
   *
   * @return whether one was used meanwhile, for which no interrupt may come
   */
  public boolean enableInterrupts() {
    if (eventIndex) {
      store(availMemory, SplitRingDescriptor.usedEvent(size), usedIndex);
    } else {
      store(availMemory, SplitRingDescriptor.FLAGS, 0);
    }
    VarHandle.fullFence(); // the wish is visible before we look for the last time
    return poll() != 0;
  }

  /** Asks for no interrupts, as far as the device heeds that. */
  public void disableInterrupts() {
    if (eventIndex) {
      // the entry just behind us comes round again only after 2^16 others
      store(availMemory, SplitRingDescriptor.usedEvent(size), usedIndex - 1);
    } else {
      store(availMemory, SplitRingDescriptor.FLAGS, SplitRingDescriptor.AVAIL_F_NO_INTERRUPT);
    }
  }

  private static int load(final MemorySegment area, final long at) {
    return (short) INDEX.getOpaque(area, at) & 0xffff;
  }

  private static void store(final MemorySegment area, final long at, final int value) {
    INDEX.setOpaque(area, at, (short) value);
  }
}
