package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.spi.Extent;
import io.carom.memory.PhysicalLayout;

/** Where a device's coherent memory comes from. Thread-safe. */
public interface CoherentSpace {
  /**
   * What coherent memory of a size is aligned to: the power of two at or above it, as drivers of
   * Linux may rely on; at least a page, at most a slot set, which regions are aligned to.
   */
  static long alignment(final long size) {
    final long bounded = Math.clamp(size, PhysicalLayout.PAGE_SIZE, Extent.SET_SIZE);
    return Long.highestOneBit(2 * bounded - 1);
  }

  /**
   * Allocates zeroed memory in whole pages.
   *
   * @throws io.carom.dma.DmaMemoryException when there is none
   */
  CoherentBuffer allocate(long size);

  /**
   * Gives memory back.
   *
   * @throws io.carom.dma.DmaUsageException when it was not allocated here
   */
  void free(CoherentBuffer buffer);

  /** Whether a run of bus addresses is memory that is in use here. */
  boolean covers(long busAddress, long size);

  /** Bytes in use. */
  long used();
}
