package io.carom.iommu.host.table;

/** What mappings can point at. Thread-safe. */
@FunctionalInterface
public interface PhysicalSpace {
  /** The answer for what is not memory. */
  long NOTHING = -1L;

  /** Bits of physical addresses, and of what they become. */
  int BITS = 52;

  /**
   * Where a run of physical addresses lies for a port. They are those that the bus has behind the
   * IOMMU, with what the platform puts into addresses of RAM, which a port takes out again.
   *
   * @param address granule-aligned
   * @param bytes a multiple of the granule; {@code address + bytes} does not overflow
   * @param mmio whether the run was mapped as registers, which need not be memory
   * @return granule-aligned address of the first byte, or {@link #NOTHING} when the run is not all
   *     memory, or not in one piece
   */
  long behind(long address, long bytes, boolean mmio);
}
