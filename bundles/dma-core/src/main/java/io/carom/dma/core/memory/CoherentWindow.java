package io.carom.dma.core.memory;

import io.carom.dma.DmaMemoryException;

/** Lets a device reach coherent memory behind an IOMMU. Thread-safe. */
public interface CoherentWindow {
  /** No IOMMU: every address is the device's. */
  CoherentWindow NONE =
      new CoherentWindow() {
        @Override
        public long open(final long busAddress, final long size) {
          return busAddress;
        }

        @Override
        public void close(final long busAddress, final long deviceAddress, final long size) {
          // nothing was opened
        }
      };

  /**
   * Memory was allocated.
   *
   * @return the address at which the device reaches it
   * @throws DmaMemoryException when the IOMMU does not map it
   */
  long open(long busAddress, long size);

  /**
   * It is being given back.
   *
   * @param busAddress where it lies
   * @param deviceAddress what {@link #open} returned for it
   */
  void close(long busAddress, long deviceAddress, long size);
}
