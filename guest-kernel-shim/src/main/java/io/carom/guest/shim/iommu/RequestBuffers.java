package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.MAP_FLAGS;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_PHYS_START;
import static io.carom.iommu.VirtioIommuDescriptor.PROBE_ENDPOINT;
import static io.carom.iommu.VirtioIommuDescriptor.REQ_DOMAIN;
import static io.carom.iommu.VirtioIommuDescriptor.REQ_ENDPOINT;
import static io.carom.iommu.VirtioIommuDescriptor.REQ_TYPE;
import static io.carom.iommu.VirtioIommuDescriptor.REQ_VIRT_END;
import static io.carom.iommu.VirtioIommuDescriptor.REQ_VIRT_START;
import static io.carom.iommu.VirtioIommuDescriptor.TAIL_SIZE;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The bytes of the requests, in coherent memory, which no IOMMU translates: for each slot
 *
 * <pre>
 *   0 request (80)   80 tail (4)
 * </pre>
 *
 * <p>and once, as one PROBE is asked at a time, its properties with their tail.
 *
 * <p>Not thread-safe: guarded by the request queue's lock.
 */
final class RequestBuffers {
  /** Buffers of each request: what the device reads, and what it answers. */
  static final int CHAIN = 2;

  private static final int SLOT = 96;
  private static final int REQUEST = 80;
  private static final int TAIL = 80;
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DmaDevice dma;
  private final CoherentBuffer slots;
  private final CoherentBuffer probe;
  private final MemorySegment memory;
  private final int probeSize;

  /**
   * Allocates the bytes of so many slots.
   *
   * @throws DmaMemoryException when there is no memory; nothing is kept then
   */
  RequestBuffers(final DmaDevice dma, final int count, final int probeSize) {
    this.dma = dma;
    this.probeSize = probeSize;
    this.slots = dma.allocateCoherent((long) count * SLOT);
    try {
      this.probe = dma.allocateCoherent(probeSize + (long) TAIL_SIZE);
    } catch (final DmaMemoryException e) {
      dma.freeCoherent(slots);
      throw e;
    }
    this.memory = slots.memory();
  }

  /** Gives the memory back; the device must have been reset. */
  void free() {
    dma.freeCoherent(slots);
    dma.freeCoherent(probe);
  }

  /** Writes an ATTACH or a DETACH, which begin alike; all flags are 0. */
  void attachment(final RequestSlot slot, final int type, final int domain, final int endpoint) {
    final long at = begin(slot, type);
    memory.set(U32, at + REQ_DOMAIN, domain);
    memory.set(U32, at + REQ_ENDPOINT, endpoint);
  }

  /** Writes an UNMAP, or the part of a MAP that is the same. */
  void range(
      final RequestSlot slot, final int type, final int domain, final long start, final long last) {
    final long at = begin(slot, type);
    memory.set(U32, at + REQ_DOMAIN, domain);
    memory.set(U64, at + REQ_VIRT_START, start);
    memory.set(U64, at + REQ_VIRT_END, last);
  }

  /** Writes the rest of a MAP. */
  void target(final RequestSlot slot, final long physical, final int flags) {
    final long at = at(slot);
    memory.set(U64, at + MAP_PHYS_START, physical);
    memory.set(U32, at + MAP_FLAGS, flags);
  }

  /** Writes a PROBE, and clears what it will bring. */
  void probe(final RequestSlot slot, final int endpoint) {
    final long at = begin(slot, VirtioIommuDescriptor.T_PROBE);
    memory.set(U32, at + PROBE_ENDPOINT, endpoint);
    probe.memory().fill((byte) 0);
    probe.memory().set(ValueLayout.JAVA_BYTE, probeSize, (byte) IommuStatus.IOERR);
  }

  /** A copy of the properties that the last PROBE brought. */
  byte[] properties() {
    return probe.memory().asSlice(0, probeSize).toArray(ValueLayout.JAVA_BYTE);
  }

  /**
   * Describes a request to the device.
   *
   * @param readable bytes of the request
   */
  void describe(final RequestSlot slot, final BufferList chain, final int readable) {
    describe(slot, chain, readable, slots.busAddress() + at(slot) + TAIL, TAIL_SIZE);
  }

  /** Describes a PROBE to the device. */
  void describeProbe(final RequestSlot slot, final BufferList chain) {
    describe(
        slot, chain, VirtioIommuDescriptor.PROBE_SIZE, probe.busAddress(), probeSize + TAIL_SIZE);
  }

  private void describe(
      final RequestSlot slot,
      final BufferList chain,
      final int readable,
      final long answer,
      final int writable) {
    slot.writable = writable;
    chain.clear();
    chain.readable(slots.busAddress() + at(slot), readable);
    chain.writable(answer, writable);
  }

  /**
   * How a request was answered. An answer that does not reach its tail has none (virtio 1.4,
   * section The Virtqueue Used Ring: bytes behind the used length were not written).
   */
  int status(final RequestSlot slot, final long length) {
    if (length < slot.writable) {
      return IommuStatus.IOERR;
    }
    final byte status =
        slot.writable == TAIL_SIZE
            ? memory.get(ValueLayout.JAVA_BYTE, at(slot) + TAIL)
            : probe.memory().get(ValueLayout.JAVA_BYTE, probeSize);
    return status & 0xff;
  }

  private long begin(final RequestSlot slot, final int type) {
    final long at = at(slot);
    for (int word = 0; word < REQUEST; word += Long.BYTES) {
      memory.set(U64, at + word, 0); // reserved fields are 0
    }
    memory.set(ValueLayout.JAVA_BYTE, at + REQ_TYPE, (byte) type);
    // a device that says it has answered, and has not, has failed
    memory.set(ValueLayout.JAVA_BYTE, at + TAIL, (byte) IommuStatus.IOERR);
    return at;
  }

  private static long at(final RequestSlot slot) {
    return (long) slot.index * SLOT;
  }
}
