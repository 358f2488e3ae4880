package io.carom.iommu.pool.bounce;

import io.carom.dma.spi.IovaSpace;
import org.jspecify.annotations.Nullable;

/**
 * All single-use buffers of an instance, in the order of their addresses. A range is in the map
 * from the lease on until it is given back, with its true size: before the core is asked to map it,
 * so that two owners of an address are found out before one of them overwrites the other.
 *
 * <p>Shared by the stripes and guarded by itself; each hold is a search of the map and, where it is
 * changed, a request to the IOMMU is under way anyhow. What a buffer says is its stripe's.
 */
public final class SingleUseRanges {
  private final IovaSpace space;
  private final RangeMap<SingleUse> ranges = new RangeMap<>();

  /** None, in the addresses of a domain. */
  public SingleUseRanges(final IovaSpace space) {
    this.space = space;
  }

  /** Addresses of the domain. */
  IovaSpace space() {
    return space;
  }

  /**
   * Leases addresses for a buffer.
   *
   * @return null when there are none
   * @throws IllegalStateException when what was leased belongs to another buffer already
   */
  @Nullable SingleUse lease(final int stripe, final long bytes, final int list, final long limit) {
    final long iova = space.lease(stripe, bytes, limit);
    if (iova == IovaSpace.NONE) {
      return null;
    }
    final SingleUse made = new SingleUse(iova, bytes, list, stripe);
    final boolean added;
    synchronized (ranges) {
      added = ranges.add(iova, bytes, made);
    }
    if (!added) { // not given back: whose it is cannot be told
      throw new IllegalStateException(
          "0x"
              + Long.toHexString(iova)
              + " to 0x"
              + Long.toHexString(iova + bytes - 1)
              + " was leased, and overlaps a buffer that is in use");
    }
    return made;
  }

  /** The buffer that an address lies in, or null. */
  @Nullable SingleUse find(final long iova) {
    synchronized (ranges) {
      return ranges.get(iova);
    }
  }

  /** Gives a buffer's addresses back. */
  void giveBack(final SingleUse buffer) {
    synchronized (ranges) {
      ranges.remove(buffer.iova);
    }
    space.giveBack(buffer.stripe, buffer.iova, buffer.bytes);
  }

  /** Gives all addresses back but the leaked ones; no call follows. */
  public void close() {
    synchronized (ranges) {
      ranges.forEach(
          buffer -> {
            if (buffer.state != SingleUse.LEAKED) {
              space.giveBack(buffer.stripe, buffer.iova, buffer.bytes);
            }
          });
    }
  }
}
