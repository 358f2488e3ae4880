package io.carom.guest.shim.virtio;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.virtio.SplitRingDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * The indirect tables of a queue, in coherent memory: one for each id of the ring, of as many
 * descriptors as the driver's largest chain has. A descriptor takes 16 bytes in either layout.
 */
final class IndirectTables {
  private final CoherentBuffer buffer;
  private final int entries;

  /** Allocates; throws {@code DmaMemoryException} when there is no memory. */
  IndirectTables(final DmaDevice dma, final int size, final int entries) {
    this.entries = entries;
    // at most 32768 tables of 32768 descriptors: no overflow
    this.buffer = dma.allocateCoherent((long) size * entries * SplitRingDescriptor.DESC_SIZE);
  }

  /** Most descriptors of a table. */
  int entries() {
    return entries;
  }

  MemorySegment memory() {
    return buffer.memory();
  }

  /** Offset of a table in {@link #memory}. */
  long offset(final int id) {
    return (long) id * entries * SplitRingDescriptor.DESC_SIZE;
  }

  /** Bus address of a table. */
  long address(final int id) {
    return buffer.busAddress() + offset(id);
  }

  void free(final DmaDevice dma) {
    dma.freeCoherent(buffer);
  }
}
