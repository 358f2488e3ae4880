package io.carom.dma;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A device that will do DMA, as its bus describes it to the DMA core.
 *
 * @param name unique name, the PCI address with domain such as {@code 0000:00:04.0}
 * @param dmaMask highest bus address that the device can form
 * @param minAlignMask bits of an address that a bounce must preserve ({@code min_align_mask})
 * @param allocAlignMask bits that the memory given to a mapping must have clear at both ends, such
 *     as the granule of an IOMMU behind it less one; 0 for none
 * @param boundaryMask a mapping must not cross a multiple of this plus one; -1 for no boundary
 * @param region the device's SWIOTLB region, or null
 */
public record DmaDeviceSpec(
    String name,
    long dmaMask,
    long minAlignMask,
    long allocAlignMask,
    long boundaryMask,
    @Nullable Region region) {
  /** A device that reaches 64 bits, with no constraint. */
  public static DmaDeviceSpec of(final String name, final @Nullable Region region) {
    return new DmaDeviceSpec(name, -1L, 0, 0, -1L, region);
  }

  /** This device with another alignment mask. */
  public DmaDeviceSpec withMinAlignMask(final long mask) {
    return new DmaDeviceSpec(name, dmaMask, mask, allocAlignMask, boundaryMask, region);
  }

  /** This device with another DMA mask. */
  public DmaDeviceSpec withDmaMask(final long mask) {
    return new DmaDeviceSpec(name, mask, minAlignMask, allocAlignMask, boundaryMask, region);
  }

  /** This device with a boundary. */
  public DmaDeviceSpec withBoundaryMask(final long mask) {
    return new DmaDeviceSpec(name, dmaMask, minAlignMask, allocAlignMask, mask, region);
  }

  /** This device with an allocation granule. */
  public DmaDeviceSpec withAllocAlignMask(final long mask) {
    return new DmaDeviceSpec(name, dmaMask, minAlignMask, mask, boundaryMask, region);
  }

  /**
   * A device's own bounce memory.
   *
   * @param busAddress where the device sees it; a multiple of 256 KiB
   * @param memory its bytes as the guest sees them; the part behind the last whole 256 KiB is
   *     unused
   * @param reserveBytes how much to set apart for coherent memory, from its start
   */
  public record Region(long busAddress, MemorySegment memory, long reserveBytes) {}
}
