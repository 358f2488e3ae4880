package io.carom.swiotlb.recycling;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import org.jspecify.annotations.Nullable;

/** A device's pool: nothing in advance, one extent for each buffer. */
public final class RecyclingPool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;

  private final RecyclingStripe[] stripes;
  private final Throttle throttle;
  private final ExtentPlan plan;
  private final long largest;

  RecyclingPool(final PoolSpec spec, final RecyclingSettings settings) {
    final Ceiling ceiling = new Ceiling(settings.ceiling(spec));
    throttle = new Throttle(ceiling.most, settings.highPercent(), settings.lowPercent());
    stripes = new RecyclingStripe[settings.stripes(spec)];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new RecyclingStripe(settings, ceiling);
    }
    plan =
        new ExtentPlan(
            0, Extent.SET_SIZE, spec.extents() == ExtentKind.DEVICE ? Long.MAX_VALUE : FOUR_GIB);
    largest = Math.min(settings.classes().largest(), ceiling.most << Extent.SLOT_SHIFT);
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
    return Math.max(Extent.SLOT_SIZE, largest - lost);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].grant(extent);
  }

  @Override
  public void grantNeeded(final int stripe, final Extent extent) {
    stripes[stripe].grantNeeded(extent);
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
    final boolean maySleep = (request.attributes & DmaAttributes.MAY_SLEEP) != 0;
    stripes[stripe].allocate(request, maySleep, throttle, this, answer);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
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
    for (final RecyclingStripe stripe : stripes) {
      used += stripe.used;
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final RecyclingStripe stripe : stripes) {
      total += stripe.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final RecyclingStripe stripe : stripes) {
      best = Math.max(best, stripe.largestFree());
    }
    return best;
  }

  @Override
  public void close() {}
}
