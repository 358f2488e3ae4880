package io.carom.swiotlb.growing;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.PoolSpec;
import io.carom.swiotlb.slots.PoolShape;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How large a growing pool wants to be, for all its stripes.
 *
 * <p><b>Protocol.</b> Stripes say that they are {@link #hungry}, from under their own locks; the
 * core asks for the {@link #plan} at its ticks and after refusals, from a thread of its own, and
 * grants what it says, one pool after another. The target rises there only, and only when all of it
 * has been granted: hunger is good for one pool. It falls in the stripe that gives a pool back,
 * before what was granted does, so that a plan in between never asks for that pool again.
 */
final class Growth {
  private static final long FOUR_GIB = 1L << 32;
  private static final int REGION_SHARE = 4;
  private static final int RAM_SHARE = 2;
  private static final int WHOLE = 100;

  private final PoolShape base;
  private final long ceiling;
  private final long growBytes;
  private final int percent;
  private final long limit;
  private final AtomicLong target;
  private final AtomicLong granted = new AtomicLong();
  private final AtomicLong grantedToBase = new AtomicLong();
  private volatile boolean hungry;
  private ExtentPlan last;

  Growth(final PoolSpec spec, final GrowingSettings settings) {
    final boolean region = spec.extents() == ExtentKind.DEVICE;
    final PoolShape all = PoolShape.of(spec, settings.slots(), settings.areas());
    base = region && !spec.restricted() ? part(all) : all;
    // There is nothing beyond a restricted range.
    ceiling = spec.restricted() ? 0 : Math.max(base.bytes(), ceiling(spec, settings, region));
    growBytes = up(settings.growBytes());
    percent = settings.growAtPercent();
    limit = region || spec.restricted() ? Long.MAX_VALUE : FOUR_GIB;
    target = new AtomicLong(base.bytes());
    last = new ExtentPlan(base.bytes(), Extent.SET_SIZE, limit);
  }

  private static PoolShape part(final PoolShape all) {
    final long bytes = Math.max(Extent.SET_SIZE, (all.bytes() / REGION_SHARE) & -Extent.SET_SIZE);
    final int sets = (int) (bytes >> Extent.SET_SHIFT);
    return new PoolShape(bytes, Math.min(all.areas(), Integer.highestOneBit(sets)));
  }

  private static long ceiling(
      final PoolSpec spec, final GrowingSettings settings, final boolean region) {
    if (region) {
      return spec.availableBytes() & -Extent.SET_SIZE;
    }
    return settings.maxSlots() == 0
        ? (spec.availableBytes() / RAM_SHARE) & -Extent.SET_SIZE
        : (settings.maxSlots() << Extent.SLOT_SHIFT) & -Extent.SET_SIZE;
  }

  private static long up(final long bytes) {
    return (bytes + Extent.SET_SIZE - 1) & -Extent.SET_SIZE;
  }

  /** Number of stripes. */
  int areas() {
    return base.areas();
  }

  /** Whether so much more than what was granted would be above the ceiling. */
  boolean atCeiling(final long moreBytes) {
    return granted.get() + moreBytes > ceiling;
  }

  /** A map found no room: a pool is wanted. */
  void hungry() {
    if (!hungry) {
      hungry = true;
    }
  }

  /** Notes an extent that was granted; returns whether it belongs to what the pool begins with. */
  boolean granted(final long bytes) {
    granted.addAndGet(bytes);
    if (grantedToBase.get() >= base.bytes()) {
      return false;
    }
    grantedToBase.addAndGet(bytes);
    return true;
  }

  /** The core took an extent of what the pool begins with; it is wanted again. */
  void lostBase(final long bytes) {
    grantedToBase.addAndGet(-bytes);
    granted.addAndGet(-bytes);
  }

  /** An added pool went; it is not wanted again. */
  void lostAdded(final long bytes) {
    target.addAndGet(-bytes);
    granted.addAndGet(-bytes);
  }

  /** Whether without some slots the share in use is still below the watermark, if there is one. */
  boolean spares(final long used, final long total, final long slots) {
    return percent == WHOLE || used * WHOLE < (total - slots) * percent; // below 2^32 slots
  }

  /**
   * What the pool wants.
   *
   * @param used slots in use
   * @param total slots, those for one mapping included
   * @param single slots for one mapping
   */
  synchronized ExtentPlan plan(final long used, final long total, final long single) {
    long wanted = target.get();
    final long has = granted.get();
    if (has >= wanted && total > 0) {
      final boolean more = hungry || (percent < WHOLE && used * WHOLE >= total * percent);
      hungry = false;
      final long room = ceiling - wanted - (single << Extent.SLOT_SHIFT);
      if (more && room >= Extent.SET_SIZE) {
        wanted = target.addAndGet(Math.min(growBytes, room & -Extent.SET_SIZE));
      }
    }
    final long size =
        grantedToBase.get() < base.bytes()
            ? Extent.SET_SIZE // the smallest: it drains soonest
            : Math.clamp(wanted - has, Extent.SET_SIZE, growBytes);
    if (last.wantedBytes() != wanted || last.extentBytes() != size) {
      last = new ExtentPlan(wanted, size, limit);
    }
    return last;
  }
}
