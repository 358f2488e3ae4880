package io.carom.iommu.pool.slots;

import io.carom.dma.DmaAttributes;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.iommu.pool.bounce.Need;
import io.carom.iommu.pool.bounce.Padded;
import io.carom.iommu.pool.bounce.Remaps;
import io.carom.iommu.pool.bounce.SingleUseBuffers;
import org.jspecify.annotations.Nullable;

/**
 * One stripe of a domain's pool: what is bounced and what is not, its slots in each range, and its
 * single-use buffers. Guarded by the stripe's lock.
 */
final class PoolStripe extends Padded {
  /**
   * Mappings that are not bounced unless they must be: those of devices' memory, and long-lived
   * ones, whose users do without syncs.
   */
  private static final int UNBOUNCED = DmaAttributes.MMIO | DmaAttributes.PERSISTENT_STREAMING;

  /** The core answered nothing that the next map is to know of. */
  private static final int NOTHING = 0;

  /** The next map has what it asked for. */
  private static final int GRANTED = 1;

  /** The next map does not get what it asked for. */
  private static final int DENIED = 2;

  private final int index;
  private final IovaSpace space;
  private final PoolSettings settings;
  private final int zeroing;
  private final BounceLimit limit;
  private final Reservations reservations;
  private final int granuleShift;
  private final long granuleMask;
  private final long most; // bytes of the largest slot
  private final Need need;
  private final @Nullable StripeSlots[] slots = new StripeSlots[Reservations.MOST];
  private @Nullable StripeSlots first; // slots[0]
  private long firstFrom; // and its range, empty as long as there is none
  private long firstLast = -1;
  private int answered = NOTHING;
  private @Nullable StripeSlots freshIn;
  private int fresh;
  private long nextAge = Long.MIN_VALUE;
  private boolean shrinking;

  /** Its buffers outside the size classes. */
  final SingleUseBuffers single;

  PoolStripe(
      final int index,
      final IovaSpace space,
      final PoolSettings settings,
      final BounceLimit limit,
      final Reservations reservations,
      final SingleUseBuffers single) {
    this.index = index;
    this.space = space;
    this.settings = settings;
    zeroing = settings.zeroing().policy();
    this.limit = limit;
    this.reservations = reservations;
    this.single = single;
    granuleShift = Long.numberOfTrailingZeros(space.granule());
    granuleMask = space.granule() - 1;
    most = 1L << (granuleShift + SlotLayout.CLASSES - 1);
    need = new Need(space.granule());
  }

  /**
   * Bounces, remaps or refuses.
   *
   * <p>What must be bounced is, also where it is a long-lived mapping whose user does without syncs
   * (PERSISTENT_STREAMING) and would see stale bytes: what lies beside it in the granule is not the
   * device's to see, and protecting that is what an untrusted device's IOMMU is for. A user that
   * cannot live with a bounce is to align its buffers.
   */
  void allocate(final MapRequest request, final Placement answer) {
    if (!usual(request, answer)) {
      place(request, answer);
    }
  }

  /** The common case, in few steps since a lock is held: a buffer that a first range's slot has. */
  private boolean usual(final MapRequest request, final Placement answer) {
    final StripeSlots from = first;
    final long size = request.size;
    if (from == null
        || !request.unconstrained
        || (answered | request.attributes) != NOTHING
        || request.entries != 1
        || firstLast > Need.limit(request.dmaMask)
        || size > most
        || (size > limit.bytes() && !request.mustBounce)) {
      return false;
    }
    final long offset = request.address & granuleMask;
    final int sizeClass = SlotLayout.classOfBytes(offset + size, granuleShift);
    if (sizeClass >= SlotLayout.CLASSES) {
      return false;
    }
    final long iova = from.reuse(sizeClass, request.direction);
    if (iova < 0) {
      return false;
    }
    answer.bounce(iova + offset, iova, 1L << (granuleShift + sizeClass));
    answer.zero(zeroing);
    return true;
  }

  private void place(final MapRequest request, final Placement answer) {
    final int was = answered;
    answered = NOTHING;
    if (was == GRANTED && settle(request, answer)) {
      return;
    }
    final boolean must = request.mustBounce && (request.attributes & DmaAttributes.MMIO) == 0;
    if (must || (request.size <= limit.bytes() && (request.attributes & UNBOUNCED) == 0)) {
      need.of(request);
      if (need.bounded && pooled(was == DENIED, answer)) {
        return;
      }
      if (must) {
        unpooled(was == DENIED, answer);
        return;
      }
    }
    Remaps.remap(space, index, request, false, answer);
  }

  /** Bounces in a slot, or asks for one's pages; false when there is none. */
  private boolean pooled(final boolean denied, final Placement answer) {
    final int sizeClass = SlotLayout.classOfBytes(need.bytes, granuleShift);
    final StripeSlots from = sizeClass < SlotLayout.CLASSES ? reach() : null;
    if (from == null) {
      return false;
    }
    final long iova = from.reuse(sizeClass, need.list);
    if (iova >= 0) {
      bounce(iova, sizeClass, answer);
      return true;
    }
    final int asked = denied ? IntStack.NONE : from.ask(sizeClass, need.list);
    if (asked < 0) {
      return false;
    }
    answer.needExtent(from.iova(asked), 1L << (granuleShift + sizeClass), Need.access(need.list));
    return true;
  }

  private void bounce(final long iova, final int sizeClass, final Placement answer) {
    answer.bounce(iova + need.offset, iova, 1L << (granuleShift + sizeClass));
    answer.zero(zeroing);
  }

  private void unpooled(final boolean denied, final Placement answer) {
    if (!need.bounded) {
      answer.refuse(Refusal.FRAGMENTED);
      return;
    }
    single.bounce(need, denied, answer);
    answer.zero(zeroing);
  }

  /** This stripe's slots in a range that the device reaches, or null. */
  private @Nullable StripeSlots reach() {
    final SlotRange range = reservations.reach(index, need.limit);
    if (range == null) {
      return null;
    }
    StripeSlots mine = slots[range.index];
    if (mine == null) {
      mine = new StripeSlots(range);
      slots[range.index] = mine;
      if (range.index == 0) {
        first = mine;
        firstFrom = range.first;
        firstLast = range.last;
      }
    }
    return mine;
  }

  /** Gives a map what was granted for it; kept for others when it is not that map. */
  private boolean settle(final MapRequest request, final Placement answer) {
    need.of(request);
    final StripeSlots from = freshIn;
    if (from == null) {
      final boolean placed = single.settle(need, answer);
      if (placed) {
        answer.zero(zeroing);
      }
      return placed;
    }
    freshIn = null;
    final int sizeClass = SlotLayout.classOfBytes(need.bytes, granuleShift);
    if (!from.fits(fresh, sizeClass, need.list)) {
      from.keep(fresh);
      return false;
    }
    from.use(fresh);
    bounce(from.iova(fresh), sizeClass, answer);
    return true;
  }

  void grant(final Extent extent) {
    final StripeSlots mine = owner(extent.busAddress());
    if (mine != null) {
      fresh = mine.grant(extent);
      freshIn = mine;
    } else if (!single.grant(extent)) {
      throw notMine(extent.busAddress());
    }
    answered = GRANTED;
  }

  void denied() {
    answered = DENIED;
  }

  void denied(final long iova) {
    final StripeSlots mine = owner(iova);
    if (mine != null) {
      mine.denied(iova);
    } else if (!single.denied(iova)) {
      throw notMine(iova);
    }
    answered = DENIED;
  }

  /** A mapping ended. */
  void release(final long iova, final long bytes) {
    final StripeSlots usual = first;
    if (usual != null && iova >= firstFrom && iova <= firstLast) {
      usual.release(iova, bytes);
      return;
    }
    final StripeSlots mine = owner(iova);
    if (mine != null) {
      mine.release(iova, bytes);
    } else {
      single.release(iova);
    }
  }

  void retract(final Extent extent) {
    final StripeSlots mine = owner(extent.busAddress());
    if (mine != null) {
      if (mine == freshIn && mine.iova(fresh) == extent.busAddress()) {
        freshIn = null;
        answered = NOTHING;
      }
      mine.retract(extent);
    } else if (!single.retract(extent)) {
      throw notMine(extent.busAddress());
    }
  }

  void disposed(final Extent extent, final boolean reusable) {
    final StripeSlots mine = owner(extent.busAddress());
    if (mine != null) {
      mine.disposed(extent, reusable);
    } else if (!single.disposed(extent, reusable)) {
      throw notMine(extent.busAddress());
    }
  }

  /** Its slots in the range that an address lies in, or null when it is in none. */
  private @Nullable StripeSlots owner(final long iova) {
    for (final StripeSlots mine : slots) {
      if (mine != null && mine.range.layout.holds(iova)) {
        return mine;
      }
    }
    return null;
  }

  private static IllegalStateException notMine(final long iova) {
    return new IllegalStateException(
        "no buffer at 0x" + Long.toHexString(iova) + " in this stripe");
  }

  /** Ages what is idle, once in a period, and all of it at once when memory is short. */
  void tick(final long nowMs) {
    if (nowMs < nextAge && !shrinking) {
      return;
    }
    for (final StripeSlots mine : slots) {
      if (mine != null) {
        mine.age(shrinking);
      }
    }
    single.age(shrinking);
    shrinking = false;
    nextAge = nowMs + settings.evictMs();
  }

  void shrink() {
    shrinking = true;
  }

  @Nullable Extent surplus() {
    for (final StripeSlots mine : slots) {
      final Extent extent = mine == null ? null : mine.surplus();
      if (extent != null) {
        return extent;
      }
    }
    return single.surplus();
  }

  /** Its slots in a range, or null. */
  @Nullable StripeSlots in(final int range) {
    return slots[range];
  }
}
