package io.carom.iommu.host.table;

import io.carom.iommu.VirtioIommuDescriptor;

/**
 * What one MAP mapped, which only goes as a whole.
 *
 * @param start first address
 * @param last last address
 * @param physical guest-physical address of the first byte
 * @param flags of {@link Pte#FLAGS}
 */
public record Mapping(long start, long last, long physical, int flags) {
  /** Bytes, at most 2^48. */
  public long bytes() {
    return last - start + 1;
  }

  /** Granules of memory, which a VMM pins; registers are not pinned. */
  public long pinned() {
    return Pte.allows(flags, VirtioIommuDescriptor.MAP_F_MMIO) ? 0 : bytes() >>> Pte.GRANULE_SHIFT;
  }
}
