package io.carom.swiotlb.dmb;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.PoolShape;

/**
 * A pool of pages: as many areas as stripes, one area each.
 *
 * <p>A mapping takes half of an area at most; in the plain scheme also an eighth of the pool at
 * most, as the proposal's driver has it. As extents come and go by slot sets, it never crosses one.
 */
final class DmbPool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;
  private static final int PLAIN_SHARE = 8;
  private static final long PAGE = 4096;

  private final PageArea[] areas;
  private final Fit[] fits;
  private final QueueIds[] ids;
  private final ExtentPlan plan;
  private final long most;

  DmbPool(final PoolSpec spec, final DmbSettings settings) {
    final PoolShape shape = PoolShape.of(spec, settings.slots(), settings.areas());
    final boolean plain = settings.scheme() == DmbScheme.PLAIN;
    areas = new PageArea[shape.areas()];
    fits = new Fit[areas.length];
    ids = new QueueIds[areas.length];
    for (int i = 0; i < areas.length; i++) {
      areas[i] = new PageArea(plain ? null : new QueueShares(settings.reservePercent()));
      fits[i] = new Fit();
      ids[i] = new QueueIds();
    }
    final long area = shape.bytes() / shape.areas();
    final long cap = Math.min(Extent.SET_SIZE, area / 2);
    most = plain ? Math.min(cap, shape.bytes() / PLAIN_SHARE) : cap;
    final boolean below4g = spec.extents() == ExtentKind.RAM && !spec.restricted();
    plan = new ExtentPlan(shape.bytes(), Extent.SET_SIZE, below4g ? FOUR_GIB : Long.MAX_VALUE);
  }

  @Override
  public int stripes() {
    return areas.length;
  }

  @Override
  public ExtentPlan plan() {
    return plan;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    final long lost = (minAlignMask + PAGE - 1) & -PAGE;
    return Math.max(Extent.SLOT_SIZE, most - lost);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    areas[stripe].grant(extent);
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    areas[stripe].retract(extent);
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    final Fit fit = fits[stripe];
    if (fit.of(request, most)) {
      areas[stripe].allocate(fit, ids[stripe].of(request), answer);
    } else {
      answer.refuse(Refusal.TOO_BIG);
    }
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    areas[stripe].release(runAddress, runBytes);
    return false;
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final PageArea area : areas) {
      used += area.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final PageArea area : areas) {
      total += area.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final PageArea area : areas) {
      best = Math.max(best, area.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
