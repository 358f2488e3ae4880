package io.carom.swiotlb.lent;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;

/** A pool of one range, or of one for each stripe. Where no range is so long it takes several. */
public final class LentPool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;

  private final LentStripe[] stripes;
  private final ExtentPlan plan;

  LentPool(final PoolSpec spec, final LentSettings settings) {
    stripes = new LentStripe[settings.stripes(spec)];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new LentStripe(settings.lowPercent(), settings.lendPercent());
    }
    final long range = settings.rangeBytes(spec);
    plan =
        new ExtentPlan(
            range * stripes.length,
            range,
            spec.extents() == ExtentKind.DEVICE ? Long.MAX_VALUE : FOUR_GIB);
  }

  @Override
  public int stripes() {
    return stripes.length;
  }

  @Override
  public ExtentPlan plan() {
    return plan;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    final long lost = (minAlignMask + Extent.SLOT_SIZE - 1) & -Extent.SLOT_SIZE;
    return Math.max(Extent.SLOT_SIZE, Extent.SET_SIZE - lost);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].grant(extent);
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    stripes[stripe].retract(extent);
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    stripes[stripe].allocate(request, answer);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    stripes[stripe].release(runAddress, runBytes);
    return false;
  }

  @Override
  public long lend(final int stripe, final long bytes) {
    return stripes[stripe].lend(bytes);
  }

  @Override
  public long wantedBack(final int stripe) {
    return stripes[stripe].wantedBack();
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final LentStripe stripe : stripes) {
      used += stripe.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final LentStripe stripe : stripes) {
      total += stripe.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final LentStripe stripe : stripes) {
      best = Math.max(best, stripe.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
