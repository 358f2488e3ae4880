package io.carom.iommu.pool.bounce;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bounce buffers with a lease of their own, for what must be bounced and has no slot: the part of
 * one stripe. Guarded by the stripe's lock.
 *
 * <p>A buffer is leased and put in the ordered map, the core is asked for its pages, and comes back
 * with them or without; then the map that it is for has it. When that ends it is either given back
 * at once, or kept and found again by size <em>and</em> permission: a buffer that the device may
 * only read never serves a mapping that it writes. What is kept goes as slots do, after one to two
 * periods. Addresses are given back when the core has disposed of pages and mapping, and never when
 * the IOMMU failed to unmap them.
 */
public final class SingleUseBuffers {
  private final SingleUseRanges ranges;
  private final int stripe;
  private final boolean keep;
  private final RangeMap<Shelf> shelves = new RangeMap<>(); // by bytes + permission
  private final List<Shelf> sweep = new ArrayList<>(); // the same
  private final ArrayDeque<SingleUse> surplus = new ArrayDeque<>();
  private @Nullable SingleUse fresh;

  // Read by others without the lock, a little old.
  private final long[] idle = new long[Need.LISTS];
  private long buffers;
  private long evicting;
  private long leaked;
  private long hits;
  private long misses;
  private long evictions;
  private long heldBytes;
  private long idleBytes;

  /**
   * None.
   *
   * @param keep whether buffers are kept for reuse, else each goes when its mapping ends
   */
  public SingleUseBuffers(final SingleUseRanges ranges, final int stripe, final boolean keep) {
    this.ranges = ranges;
    this.stripe = stripe;
    this.keep = keep;
  }

  /**
   * Bounces what must be bounced, or says what is needed for it, or refuses.
   *
   * @param denied whether the core has just said that there is no extent for it
   */
  public void bounce(final Need need, final boolean denied, final Placement answer) {
    final Shelf shelf = shelves.get(key(need.bytes, need.list));
    final SingleUse buffer = shelf == null ? null : shelf.take(need.limit);
    if (buffer != null) {
      idle[buffer.list]--;
      idleBytes -= buffer.bytes;
      hits++;
      use(buffer, need, answer);
    } else if (denied) {
      answer.refuse(Refusal.FULL);
    } else {
      final SingleUse made = ranges.lease(stripe, need.bytes, need.list, need.limit);
      if (made == null) {
        answer.refuse(Remaps.why(ranges.space(), need.bytes, need.limit));
        return;
      }
      buffers++;
      answer.needExtent(made.iova, made.bytes, Need.access(made.list));
    }
  }

  /** The core granted an extent; false when it is not one of these. */
  public boolean grant(final Extent extent) {
    final SingleUse buffer = ranges.find(extent.busAddress());
    if (buffer == null) {
      return false;
    }
    if (check(buffer, SingleUse.ASKED, extent.busAddress()).bytes != extent.size()) {
      throw wrong(extent.busAddress());
    }
    buffer.extent = extent;
    heldBytes += buffer.bytes;
    misses++;
    fresh = buffer;
    return true;
  }

  /** Bounces a request in what was just granted for it; false when nothing was that does. */
  public boolean settle(final Need need, final Placement answer) {
    final SingleUse buffer = fresh;
    fresh = null;
    if (buffer == null) {
      return false;
    }
    if (buffer.bytes == need.bytes && buffer.list == need.list) {
      use(buffer, need, answer);
      return true;
    }
    put(buffer); // for another request than it was asked for: not lost
    return false;
  }

  private static void use(final SingleUse buffer, final Need need, final Placement answer) {
    buffer.state = SingleUse.IN_FLIGHT;
    answer.bounce(buffer.iova + need.offset, buffer.iova, buffer.bytes);
  }

  /** The core has no extent; false when it was none of these that was asked for. */
  public boolean denied(final long iova) {
    final SingleUse buffer = ranges.find(iova);
    if (buffer == null) {
      return false;
    }
    ranges.giveBack(check(buffer, SingleUse.ASKED, iova));
    buffers--;
    return true;
  }

  /** A mapping ended; true to give the buffer back. */
  public boolean release(final long iova) {
    final SingleUse buffer = check(ranges.find(iova), SingleUse.IN_FLIGHT, iova);
    if (keep) {
      put(buffer);
      return false;
    }
    evict(buffer);
    return true;
  }

  /** Puts a buffer away, idle or to be given back. */
  private void put(final SingleUse buffer) {
    if (!keep) {
      evict(buffer);
      surplus.add(buffer);
      return;
    }
    buffer.state = SingleUse.IDLE;
    idle[buffer.list]++;
    idleBytes += buffer.bytes;
    final long key = key(buffer.bytes, buffer.list);
    Shelf shelf = shelves.get(key);
    if (shelf == null) {
      shelf = new Shelf(key);
      shelves.add(key, 1, shelf);
      sweep.add(shelf);
    }
    shelf.push(buffer);
  }

  private void evict(final SingleUse buffer) {
    buffer.state = SingleUse.EVICTING;
    heldBytes -= buffer.bytes;
    evicting++;
  }

  /** Bytes are whole granules, so that the permission has room below. */
  private static long key(final long bytes, final int list) {
    return bytes + list;
  }

  /**
   * Evicts what was idle since the last call and longer; what is idle since then is old from now
   * on.
   *
   * @param all whether what is idle goes in any case
   */
  public void age(final boolean all) {
    for (int i = sweep.size() - 1; i >= 0; i--) {
      final Shelf shelf = sweep.get(i);
      if (all) {
        shelf.age();
      }
      for (SingleUse buffer = shelf.takeOld(); buffer != null; buffer = shelf.takeOld()) {
        idle[buffer.list]--;
        idleBytes -= buffer.bytes;
        evictions++;
        evict(buffer);
        surplus.add(buffer);
      }
      shelf.age();
      if (shelf.count() == 0) {
        shelves.remove(shelf.key);
        sweep.remove(i);
      }
    }
  }

  /** The next extent to give back, or null. */
  public @Nullable Extent surplus() {
    final SingleUse buffer = surplus.poll();
    return buffer == null ? null : buffer.extent;
  }

  /** The core takes an extent back that no mapping is in; false when it is not one of these. */
  public boolean retract(final Extent extent) {
    final SingleUse buffer = ranges.find(extent.busAddress());
    if (buffer == null) {
      return false;
    }
    if (buffer == fresh) {
      fresh = null;
      evict(buffer);
      return true;
    }
    if (surplus.remove(buffer)) {
      return true;
    }
    final Shelf shelf = shelves.get(key(buffer.bytes, buffer.list));
    if (buffer.stripe != stripe
        || buffer.state != SingleUse.IDLE
        || shelf == null
        || !shelf.remove(buffer)) {
      throw wrong(extent.busAddress());
    }
    idle[buffer.list]--;
    idleBytes -= buffer.bytes;
    evict(buffer);
    return true;
  }

  /** The core has disposed of an extent; false when it is not one of these. */
  public boolean disposed(final Extent extent, final boolean reusable) {
    final SingleUse buffer = ranges.find(extent.busAddress());
    if (buffer == null) {
      return false;
    }
    check(buffer, SingleUse.EVICTING, extent.busAddress()).extent = null;
    evicting--;
    if (reusable) {
      buffers--;
      ranges.giveBack(buffer);
    } else {
      leaked++;
      buffer.state = SingleUse.LEAKED; // stays in the map, so that nobody else gets the addresses
    }
    return true;
  }

  private SingleUse check(final @Nullable SingleUse buffer, final int state, final long iova) {
    if (buffer == null || buffer.stripe != stripe || buffer.state != state) {
      throw wrong(iova);
    }
    return buffer;
  }

  private static IllegalStateException wrong(final long iova) {
    return new IllegalStateException(
        "no buffer of this stripe at 0x" + Long.toHexString(iova) + " is in the state for this");
  }

  /** Adds what there is to sums. */
  public void sum(final Sums sums) {
    final long cached = sums.idle(idle);
    sums.slots += buffers;
    sums.inFlight += Math.max(0, buffers - cached - evicting - leaked);
    sums.evicting += evicting;
    sums.leaked += leaked;
    sums.hits += hits;
    sums.misses += misses;
    sums.evictions += evictions;
  }

  /** Bytes of buffers, in use or idle. */
  public long heldBytes() {
    return heldBytes;
  }

  /** Bytes of idle buffers. */
  public long idleBytes() {
    return idleBytes;
  }
}
