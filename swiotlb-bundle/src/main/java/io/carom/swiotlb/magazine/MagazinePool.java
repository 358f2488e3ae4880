package io.carom.swiotlb.magazine;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import org.jspecify.annotations.Nullable;

/**
 * A pool of stripes with magazines.
 *
 * <p>The common case is here and is short, since it runs between a stripe's lock and its unlock: a
 * map takes the run on top of the magazine of its size, an unmap puts it there. That is one load
 * and one store in an array of the stripe's own; no search, no extent, no count. Everything else is
 * {@link MagazineStripe}'s.
 */
public final class MagazinePool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;
  private static final int SLOT_MASK = Extent.SLOT_SIZE - 1;
  private static final int TOPS = Magazines.TOPS;

  private final long[][] tops;
  private final MagazineStripe[] stripes;
  private final Budget budget;
  private final long extentBytes;
  private final long limit;

  /** A pool without extents. */
  MagazinePool(final PoolSpec spec, final MagazineSettings settings) {
    extentBytes = settings.extentBytes(spec);
    limit = spec.extents() == ExtentKind.DEVICE ? Long.MAX_VALUE : FOUR_GIB;
    budget = new Budget(settings.bytes(spec), extentBytes, spec.restricted());
    stripes = new MagazineStripe[settings.stripes(spec)];
    tops = new long[stripes.length][];
    final long kept = (settings.idleSlots() + stripes.length - 1) / stripes.length;
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new MagazineStripe(budget, extentBytes, kept, settings.idleMs());
      tops[i] = stripes[i].magazines.hot;
    }
  }

  @Override
  public int stripes() {
    return stripes.length;
  }

  @Override
  public ExtentPlan plan() {
    return new ExtentPlan(budget.wanted(), extentBytes, limit);
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    final long lost = (minAlignMask + Extent.SLOT_SIZE - 1) & -Extent.SLOT_SIZE;
    return Math.max(Extent.SLOT_SIZE, extentBytes - lost);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].grant(extent, false);
  }

  @Override
  public void grantNeeded(final int stripe, final Extent extent) {
    stripes[stripe].grant(extent, true);
  }

  @Override
  public void denied(final int stripe) {
    stripes[stripe].denied();
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    stripes[stripe].retract(extent);
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    if (request.unconstrained) {
      // Of a size near the end of the range this is negative, and so too big for a class.
      final long classOf = (request.size + SLOT_MASK) >> Extent.SLOT_SHIFT;
      if (classOf >= 0 && classOf <= Extent.SET_SLOTS) {
        final long[] top = tops[stripe];
        final int at = TOPS + (int) classOf;
        final long run = top[at];
        if (run >= 0) {
          top[at] = Magazines.NONE;
          answer.bounce(run, run, classOf << Extent.SLOT_SHIFT);
          return;
        }
      }
    } else if (hot(tops[stripe], request, answer)) {
      return;
    }
    stripes[stripe].allocate(request, answer);
  }

  /** The common case of a request with masks or a boundary. */
  private static boolean hot(final long[] top, final MapRequest request, final Placement answer) {
    final long address = request.address;
    final long preserve = request.minAlignMask;
    final long offset = address & preserve & SLOT_MASK;
    final long bytes = (request.size + offset + SLOT_MASK) & -Extent.SLOT_SIZE;
    if ((bytes - 1) >>> Extent.SET_SHIFT != 0 || request.allocAlignMask != 0) {
      return false;
    }
    final int at = TOPS + (int) (bytes >> Extent.SLOT_SHIFT);
    final long run = top[at];
    // Runs in magazines are page-aligned unless of one slot; the mask's higher bits and the
    // boundary, which is all ones when there is none, remain to be looked at.
    if (run < 0
        || ((run ^ address) & preserve & -Extent.SLOT_SIZE) != 0
        || Long.compareUnsigned((run & request.boundaryMask) + bytes - 1, request.boundaryMask)
            > 0) {
      return false;
    }
    top[at] = Magazines.NONE;
    answer.bounce(run + offset, run, bytes);
    return true;
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    final long[] top = tops[stripe];
    // An even slot, or one slot only; and of a class.
    if (runBytes <= Extent.SET_SIZE
        && ((runAddress & Extent.SLOT_SIZE) == 0 || runBytes == Extent.SLOT_SIZE)) {
      final int at = TOPS + (int) (runBytes >> Extent.SLOT_SHIFT);
      if (top[at] < 0) {
        top[at] = runAddress;
        top[Magazines.DIRTY] = 1;
        return false;
      }
    }
    stripes[stripe].release(runAddress, runBytes);
    return false;
  }

  @Override
  public void tick(final int stripe, final long nowMs) {
    stripes[stripe].tick(nowMs);
  }

  @Override
  public @Nullable Extent surplus(final int stripe) {
    return stripes[stripe].surplus();
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final MagazineStripe stripe : stripes) {
      used += stripe.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final MagazineStripe stripe : stripes) {
      total += stripe.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final MagazineStripe stripe : stripes) {
      best = Math.max(best, stripe.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
