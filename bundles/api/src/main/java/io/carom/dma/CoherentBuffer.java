package io.carom.dma;

import java.lang.foreign.MemorySegment;

/**
 * Memory that driver and device use at the same time: rings and control blocks. Zeroed when
 * allocated; belongs to no strategy and stays where it is through any swap.
 *
 * @param busAddress where the device sees it
 * @param memory where the driver sees it
 */
public record CoherentBuffer(long busAddress, MemorySegment memory) {
  /** Bytes. */
  public long size() {
    return memory.byteSize();
  }
}
