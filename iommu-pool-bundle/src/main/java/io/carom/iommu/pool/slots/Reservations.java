package io.carom.iommu.pool.slots;

import io.carom.dma.spi.IovaSpace;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The ranges that a pool has slots in. The first is leased for the first map, when the device's
 * driver has said what it can address; a device that cannot reach it gets a lower one when it first
 * maps, and so on, a few at most.
 *
 * <p>Maps read the ranges by one volatile load. Reserving is done by one thread at a time, inside
 * this object's monitor and its stripe's lock: some leases and no waiting, once for each range.
 */
final class Reservations {
  /** Most ranges of a pool: an address is looked for in each. */
  static final int MOST = 4;

  private final IovaSpace space;
  private final int slots;
  private final int stripes;
  private volatile SlotRange[] ranges = {};

  /** Highest limit below which there is no room for a range. */
  private volatile long hopeless = -1;

  private volatile @Nullable String message;

  /**
   * None yet.
   *
   * @param slots slots of a class that there should be
   */
  Reservations(final IovaSpace space, final int slots, final int stripes) {
    this.space = space;
    this.slots = slots;
    this.stripes = stripes;
  }

  /** A range that ends at or below a limit; null when there is none and none to be had. */
  @Nullable SlotRange reach(final int stripe, final long limit) {
    final SlotRange range = find(limit);
    return range != null || limit <= hopeless ? range : reserve(stripe, limit);
  }

  private @Nullable SlotRange find(final long limit) {
    for (final SlotRange range : ranges) {
      if (range.last <= limit) {
        return range;
      }
    }
    return null;
  }

  private synchronized @Nullable SlotRange reserve(final int stripe, final long limit) {
    final SlotRange other = find(limit);
    if (other != null || limit <= hopeless) {
      return other;
    }
    final SlotRange made = ranges.length < MOST ? make(stripe, limit) : null;
    if (made == null) {
      hopeless = limit;
      message =
          "no room for slots up to 0x"
              + Long.toHexString(Math.min(limit, space.last()))
              + ": devices that reach no further get their buffers remapped";
      return null;
    }
    if (made.layout.slots() < slots) {
      message = "Insufficient space for " + slots + " slots, limited to " + made.layout.slots();
    }
    final SlotRange[] next = Arrays.copyOf(ranges, ranges.length + 1);
    next[made.index] = made;
    ranges = next;
    return made;
  }

  /** Takes at most half of what the device can address, and less while that is not there. */
  private @Nullable SlotRange make(final int stripe, final long limit) {
    final int shift = Long.numberOfTrailingZeros(space.granule());
    final long most = (Math.min(space.last(), limit) - space.first() + 1) / 2;
    final long each = SlotLayout.GRANULES << shift; // one slot of each class
    for (long n = Math.min(slots, most / each); n > 0; n /= 2) {
      final long iova = space.lease(stripe, n * each, limit);
      if (iova != IovaSpace.NONE) {
        return new SlotRange(ranges.length, new SlotLayout(iova, shift, (int) n), stripes);
      }
    }
    return null;
  }

  /** The ranges. */
  SlotRange[] ranges() {
    return ranges;
  }

  /** Writes once what there is to be said, off the map path. */
  void tell(final Logger log) {
    if (message == null) {
      return;
    }
    final String text;
    synchronized (this) {
      text = message;
      message = null;
    }
    if (text != null) {
      log.warn("iommu-pool: {}", text);
    }
  }

  /**
   * Gives a range back, unless an unmap failed in it: what may still be mapped is never leased
   * again, and the space takes ranges back as it leased them.
   */
  void giveBack(final SlotRange range, final boolean leaked, final Logger log) {
    if (leaked) {
      log.warn(
          "iommu-pool: 0x{} to 0x{} stay reserved, as the IOMMU failed to unmap buffers there",
          Long.toHexString(range.layout.first()),
          Long.toHexString(range.last));
    } else {
      space.giveBack(0, range.layout.first(), range.layout.bytes());
    }
  }
}
