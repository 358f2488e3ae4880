package io.carom.memory;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Which pages of RAM are allocated: state only, kept by the machine so that it outlives the
 * allocator in the guest kernel. Policy (where to search, who may have what) is the allocator's.
 *
 * <p>Thread-safe: claims and releases are atomic per call.
 */
@ProviderType
public interface PageMap {
  /**
   * Claims the first free run of pages in {@code [from, limit)}.
   *
   * @param pages length of the run, at least 1
   * @param alignPages alignment of its first page's number, a power of two
   * @param from lowest guest-physical address considered
   * @param limit exclusive upper bound of the run's last byte
   * @return the guest-physical address of the run, or -1 when there is none
   */
  long claim(long pages, long alignPages, long from, long limit);

  /**
   * Gives pages back.
   *
   * @throws IllegalStateException when one of them was not allocated; nothing is changed then
   */
  void release(long address, long pages);

  /** Pages of RAM in all. */
  long totalPages();

  /** Pages that are free now. */
  long freePages();
}
