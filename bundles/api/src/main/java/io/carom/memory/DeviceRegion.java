package io.carom.memory;

import java.lang.foreign.MemorySegment;

/**
 * Memory that belongs to a device, such as its SWIOTLB region. Kept by the machine: it outlives the
 * device model, and even the device while anyone still refers to it.
 *
 * @param name unique name, as given when it was created
 * @param memory the bytes as the device sees them, zero when first created, committed lazily
 * @param address guest-physical address of one that lies in RAM, else -1
 * @param busAddress bus address of one that lies in RAM, else -1
 */
public record DeviceRegion(String name, MemorySegment memory, long address, long busAddress) {
  /** A region that lies in no RAM. */
  public DeviceRegion(final String name, final MemorySegment memory) {
    this(name, memory, -1, -1);
  }

  /** Bytes of the region. */
  public long size() {
    return memory.byteSize();
  }
}
