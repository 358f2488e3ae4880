package io.carom.dma.spi;

import io.carom.dma.DmaDirection;

/**
 * One map call, as a strategy sees it. The core makes one object for each stripe and fills it in
 * again for each call: read it inside {@link StrategyInstance#allocate}, never keep it.
 */
public final class MapRequest {
  /** Guest-physical address of the buffer. */
  public long address;

  /** Bus address that the buffer has where it is, or -1 when devices cannot reach it there. */
  public long busAddress;

  /** Bytes, at least 1. */
  public long size;

  /** Number of the device: small, and not used again while the core runs. */
  public int device;

  /**
   * Entries of the list that is to be mapped as one, or 1. For a list {@link #address} is that of
   * its first entry, {@link #size} the sum of all, and {@link #ioBytes} says what it takes in an
   * IOMMU domain. Only strategies that say {@link StrategyInstance#mapsLists} see lists.
   */
  public int entries = 1;

  /**
   * Bytes of address space that a {@link Placement#remap} of the request takes: whole granules,
   * each entry with its offset in the first one.
   */
  public long ioBytes;

  /** Ordinal of the {@link DmaDirection}. */
  public int direction;

  /** Bits of {@code DmaAttributes}. */
  public int attributes;

  /** Highest bus address that the device can form. */
  public long dmaMask;

  /** Bits of {@link #address} that the placement must preserve. */
  public long minAlignMask;

  /** Bits that the first byte of the placement's run must have clear, and its size be padded to. */
  public long allocAlignMask;

  /** The placement must not cross a multiple of this plus one; -1 for no boundary. */
  public long boundaryMask;

  /** True only if both masks above are 0 and there is no boundary: the common case, in one look. */
  public boolean unconstrained;

  /**
   * The device is not trusted, and the buffer, or an entry of the list, does not begin and end at
   * granules of the IOMMU: what lies beside it there must not be mapped, so it has to be bounced.
   */
  public boolean mustBounce;

  /** For the core; strategies get one. */
  public MapRequest() {}
}
