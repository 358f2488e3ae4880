package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;

/** Where a device's coherent memory comes from. Thread-safe. */
public interface CoherentSpace {
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
