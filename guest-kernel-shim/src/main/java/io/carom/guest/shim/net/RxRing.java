package io.carom.guest.shim.net;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.virtio.NetDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A receive queue (virtio 1.4, sections Setting Up Receive Buffers and Processing of Incoming
 * Packets): keeps the device in buffers, and puts packets together out of them. The pair's thread
 * owns it.
 *
 * <p>A buffer is mapped while the device has it. What the device wrote is copied back, no more, and
 * once: only from that copy is anything read. A buffer whose map failed is tried again.
 *
 * <p>What the device says is not believed: the length is the ring's to bound; a packet that is
 * shorter than its header, longer than a frame may be, or that claims buffers which did not come
 * with it, costs itself and is counted.
 */
final class RxRing {
  /** What became of {@link #take}. */
  enum Taken {
    /** There is no packet. */
    NONE,
    /** There is one. */
    PACKET,
    /** What came was no packet. */
    ERROR
  }

  private final VirtQueue queue;
  private final DmaDevice dma;
  private final PacketMemory memory;
  private final NetStatistics statistics;
  private final int attributes;
  private final BufferList buffers = new BufferList(1);
  private final Backoff backoff = new Backoff();
  private final long[] mapped;
  private final int[] free;
  private int freeCount;
  private boolean mergeable;
  private boolean partialChecksums;

  RxRing(
      final VirtQueue queue,
      final DmaDevice dma,
      final PacketMemory memory,
      final NetStatistics statistics) {
    this.queue = queue;
    this.dma = dma;
    this.memory = memory;
    this.statistics = statistics;
    attributes = DmaAttributes.queue(queue.number());
    mapped = new long[memory.count()];
    free = new int[memory.count()];
    forget();
  }

  private void forget() {
    for (int i = 0; i < free.length; i++) {
      free[i] = i;
      mapped[i] = DmaDevice.MAPPING_ERROR;
    }
    freeCount = free.length;
  }

  /** The queue is as new. */
  void prepare(final boolean withMergeable, final boolean withPartialChecksums) {
    mergeable = withMergeable;
    partialChecksums = withPartialChecksums;
  }

  /** Unmaps what the device had, which was reset. */
  void drop() {
    for (final long bus : mapped) {
      if (bus != DmaDevice.MAPPING_ERROR) {
        dma.unmap(
            bus,
            memory.bytes(),
            DmaDirection.FROM_DEVICE,
            attributes | DmaAttributes.SKIP_CPU_SYNC);
      }
    }
    forget();
    backoff.succeeded();
  }

  /** Gives the device all buffers that are free, as far as they can be mapped. */
  void fill(final long nowNs) {
    if (!backoff.due(nowNs)) {
      return;
    }
    while (freeCount > 0 && queue.violation() == null) {
      final int slot = free[freeCount - 1];
      final long bus =
          dma.map(memory.address(slot), memory.bytes(), DmaDirection.FROM_DEVICE, attributes);
      if (dma.mappingError(bus)) {
        statistics.mapFailures.increment();
        backoff.failed(nowNs);
        break;
      }
      backoff.succeeded();
      buffers.clear();
      buffers.writable(bus, memory.bytes());
      if (!queue.add(buffers, slot)) {
        dma.unmap(
            bus,
            memory.bytes(),
            DmaDirection.FROM_DEVICE,
            attributes | DmaAttributes.SKIP_CPU_SYNC);
        break; // there are as many buffers as entries: a device that is slow to return them
      }
      mapped[slot] = bus;
      freeCount--;
    }
    if (queue.unpublished()) {
      queue.publish();
    }
  }

  /** Whether a buffer waits for a mapping. */
  boolean stalled() {
    return backoff.waiting();
  }

  /** What the device did wrong, or null. */
  @Nullable String violation() {
    return queue.violation();
  }

  boolean arm() {
    return queue.enableInterrupts();
  }

  void disarm() {
    queue.disableInterrupts();
  }

  /** Takes the next packet. */
  Taken take(final Packet packet) {
    final long first = queue.take();
    if (first == VirtQueue.NONE) {
      return Taken.NONE;
    }
    final int length = copy(first, packet.bytes, 0);
    if (length < NetDescriptor.HEADER_SIZE + NetDescriptor.ETHERNET_HEADER && !mergeable
        || length < NetDescriptor.HEADER_SIZE) {
      return Taken.ERROR;
    }
    final int announced = mergeable ? packet.headerHalf(NetDescriptor.HEADER_NUM_BUFFERS) : 1;
    int total = length;
    boolean fine = announced >= 1;
    for (int i = 1; i < announced; i++) {
      final long next = queue.take();
      if (next == VirtQueue.NONE) {
        return Taken.ERROR; // all of them come at once, or not at all
      }
      total = copy(next, packet.bytes, total);
    }
    fine &= total <= packet.bytes.length;
    packet.length = total - NetDescriptor.HEADER_SIZE;
    fine &= packet.length >= NetDescriptor.ETHERNET_HEADER;
    return fine && headerIsFine(packet) ? Taken.PACKET : Taken.ERROR;
  }

  /**
   * Copies what the device wrote behind what was copied before, as far as there is room, and takes
   * the buffer back.
   *
   * @return the bytes of all buffers so far, copied or not; one more than there is room for at most
   */
  private int copy(final long taken, final byte[] into, final int before) {
    final int slot = VirtQueue.token(taken);
    final int length = (int) VirtQueue.length(taken); // at most the buffer's, says the queue
    final long bus = mapped[slot];
    if (length > 0) {
      dma.syncForCpu(bus, length, DmaDirection.FROM_DEVICE);
    }
    dma.unmap(
        bus, memory.bytes(), DmaDirection.FROM_DEVICE, attributes | DmaAttributes.SKIP_CPU_SYNC);
    mapped[slot] = DmaDevice.MAPPING_ERROR;
    free[freeCount++] = slot;
    backoff.freed();
    final int fits = Math.max(0, Math.min(length, into.length - before));
    MemorySegment.copy(
        memory.segment(slot), ValueLayout.JAVA_BYTE, 0, into, Math.min(before, into.length), fits);
    return Math.min(before + length, into.length + 1); // two ints far below 2^31
  }

  /** A checksum that the device may leave open must be within the frame. */
  private boolean headerIsFine(final Packet packet) {
    final int flags = packet.bytes[NetDescriptor.HEADER_FLAGS];
    packet.checked = false;
    if (packet.bytes[NetDescriptor.HEADER_GSO_TYPE] != NetDescriptor.GSO_NONE) {
      return false;
    }
    if ((flags & NetDescriptor.F_NEEDS_CSUM) != 0) {
      final int field =
          packet.headerHalf(NetDescriptor.HEADER_CSUM_START)
              + packet.headerHalf(NetDescriptor.HEADER_CSUM_OFFSET);
      packet.checked = true;
      return partialChecksums && field + Short.BYTES <= packet.length;
    }
    packet.checked = partialChecksums && (flags & NetDescriptor.F_DATA_VALID) != 0;
    return true;
  }
}
