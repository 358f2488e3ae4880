package io.carom.iommu.pool.bounce;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;

/**
 * What a buffer needs when it is bounced in an IOMMU domain. One for each stripe, filled in again
 * for each request.
 *
 * <p>A single buffer keeps its offset in the granule, so that the device sees the same alignment as
 * without a bounce. A list is packed, from offset 0 on: what lay between its entries is neither
 * copied nor exposed. Longs throughout: a request of 2 GiB and more is rounded without overflow.
 */
public final class Need extends Padded {
  /** Number of permissions that are told apart: read, write, both, each privileged or not. */
  public static final int LISTS = 6;

  private static final int WITHOUT_PRIVILEGE = 3;
  private static final int TO_DEVICE = 1; // ordinals of DmaDirection, checked below
  private static final int FROM_DEVICE = 2;

  static {
    if (DmaDirection.TO_DEVICE.ordinal() != TO_DEVICE
        || DmaDirection.FROM_DEVICE.ordinal() != FROM_DEVICE
        || DmaDirection.values().length < WITHOUT_PRIVILEGE) {
      throw new AssertionError("directions are numbered otherwise");
    }
  }

  private final long granule;

  /** Where the first byte goes in a buffer that is aligned to its size. */
  public long offset;

  /** Bytes of the buffer, offset included: whole granules, no power of two. */
  public long bytes;

  /** What the device may do there, as a number below {@link #LISTS}. */
  public int list;

  /** Highest address that the device can form, never negative. */
  public long limit;

  /** Whether a buffer of so many bytes, aligned to the next power of two, is within a boundary. */
  public boolean bounded;

  /** For a domain of a granule. */
  public Need(final long granule) {
    this.granule = granule;
  }

  /** Reads a request. */
  public void of(final MapRequest request) {
    final long low = granule - 1;
    limit = limit(request.dmaMask);
    list = list(request.direction, request.attributes);
    if (request.unconstrained) {
      offset = request.entries == 1 ? request.address & low : 0;
      bytes = (offset + request.size + low) & -granule; // sizes are below 2^48
      bounded = true;
    } else {
      constrained(request);
    }
  }

  /** With masks that reach above a granule the buffer is made as large as they are. */
  private void constrained(final MapRequest request) {
    final long low = granule - 1;
    final long keep = request.minAlignMask | (request.entries == 1 ? low : 0);
    offset = request.address & keep;
    final long end = offset + request.size;
    final long aligned = Math.max(keep > low ? keep + 1 : 0, request.allocAlignMask + 1);
    bytes = (Math.max(end, aligned) + low) & -granule;
    // Aligned to a power of two, so it is in one piece between two multiples, or as long as they
    // are apart; in the latter case the first multiple is its start.
    bounded = request.boundaryMask < 0 || end - 1 <= request.boundaryMask;
  }

  /** A mask as an address that is not negative: none reaches beyond 2^63. */
  public static long limit(final long mask) {
    return mask < 0 ? Long.MAX_VALUE : mask;
  }

  /** The number of what a device may do: the direction's, and behind those the same privileged. */
  static int list(final int direction, final int attributes) {
    return (attributes & DmaAttributes.PRIVILEGED) != 0 ? direction + WITHOUT_PRIVILEGE : direction;
  }

  /** What the device may do, as bits of {@link IovaSpace}. */
  public static int access(final int list) {
    final int access =
        switch (list % WITHOUT_PRIVILEGE) {
          case TO_DEVICE -> IovaSpace.READ;
          case FROM_DEVICE -> IovaSpace.WRITE;
          default -> IovaSpace.READ | IovaSpace.WRITE;
        };
    return list < WITHOUT_PRIVILEGE ? access : access | IovaSpace.PRIVILEGED;
  }
}
