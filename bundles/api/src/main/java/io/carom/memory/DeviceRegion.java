package io.carom.memory;

import java.lang.foreign.MemorySegment;

/**
 * Memory that belongs to a device, such as its SWIOTLB region. Kept by the machine: it outlives the
 * device model, and even the device while anyone still refers to it.
 *
 * @param name unique name, as given when it was created
 * @param memory the bytes, zero when first created, committed lazily
 */
public record DeviceRegion(String name, MemorySegment memory) {
  /** Bytes of the region. */
  public long size() {
    return memory.byteSize();
  }
}
