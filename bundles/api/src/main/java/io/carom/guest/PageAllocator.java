package io.carom.guest;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The guest kernel's page allocator: an OSGi service of the shim, used by drivers and by the DMA
 * core. Its state lives in the machine's {@code PageMap}. Thread-safe.
 */
@ProviderType
public interface PageAllocator {
  /** What {@link #allocate} returns when there is no such run. */
  long NONE = -1L;

  /**
   * Allocates a run of pages, from the highest RAM range that the limit allows.
   *
   * @param pages at least 1
   * @param alignBytes alignment of the first byte, a power of two of at least a page
   * @param limit exclusive upper bound of guest-physical addresses
   * @return the address of the first byte, or {@link #NONE}
   */
  long allocate(long pages, long alignBytes, long limit);

  /**
   * Gives pages back.
   *
   * @throws IllegalStateException when one of them is not allocated
   */
  void free(long address, long pages);
}
