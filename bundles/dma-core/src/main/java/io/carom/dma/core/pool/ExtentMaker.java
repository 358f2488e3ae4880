package io.carom.dma.core.pool;

import org.jspecify.annotations.Nullable;

/** Makes extents for single mappings, and disposes of extents. Thread-safe. */
public interface ExtentMaker {
  /**
   * Takes an extent for one mapping: of whole pages, at any page that the alignment allows.
   *
   * @param bytes a multiple of the page size
   * @param alignMask bits that its bus address must have clear; page alignment at least
   * @param limit exclusive upper bound of bus addresses
   * @return null when there is none
   */
  @Nullable ExtentState takePages(long bytes, long alignMask, long limit);

  /**
   * Takes pages that are mapped in an IOMMU domain, zeroed before a device can reach them.
   *
   * @param iova where, in a range that the pool has leased
   * @param bytes whole granules
   * @param permissions what the device may do
   * @return null when there are none, the IOMMU refuses, or something is mapped there
   */
  default @Nullable ExtentState takeAt(final long iova, final long bytes, final int permissions) {
    return null;
  }

  /** Most bytes that could ever be had, whoever has them now. */
  long capacity();

  /** Takes an extent back that nobody owns. */
  void give(ExtentState extent);

  /**
   * Takes an extent back that nobody owns.
   *
   * @return false when it cannot be disposed of: it is lost, with its addresses
   */
  default boolean dispose(final ExtentState extent) {
    give(extent);
    return true;
  }

  /**
   * Whether making an extent is a hypercall: then it may sleep, and one that is not needed any more
   * goes back at once, instead of being kept for the next mapping.
   */
  boolean costly();
}
