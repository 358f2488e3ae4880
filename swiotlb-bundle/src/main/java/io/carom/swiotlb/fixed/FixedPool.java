package io.carom.swiotlb.fixed;

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

/** A fixed pool: as many areas as stripes, one area each. */
public final class FixedPool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;

  private final Stripe[] stripes;
  private final ExtentPlan plan;

  /** What one stripe has. */
  private static final class Stripe {
    private final Area area;
    private final Fit fit = new Fit();

    Stripe(final Fitting fitting) {
      area = new Area(fitting);
    }
  }

  /**
   * A pool of the size that was configured or that the {@code swiotlb=} parameter asks for, or of
   * all there is in a device's region or a restricted range.
   */
  FixedPool(final PoolSpec spec, final FixedSettings settings) {
    final PoolShape shape = PoolShape.of(spec, settings.slots(), settings.areas());
    stripes = new Stripe[shape.areas()];
    final ExtentKind kind = spec.extents() == null ? ExtentKind.RAM : spec.extents();
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe(settings.fitting().on(kind));
    }
    plan =
        new ExtentPlan(
            shape.bytes(),
            Extent.SET_SIZE, // the smallest: it drains soonest
            kind == ExtentKind.RAM && !spec.restricted() ? FOUR_GIB : Long.MAX_VALUE);
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
    return PoolShape.maxMappingSize(minAlignMask);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].area.grant(extent);
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    stripes[stripe].area.retract(extent);
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    final Stripe own = stripes[stripe];
    if (own.fit.of(request)) {
      own.area.allocate(own.fit, answer);
    } else {
      answer.refuse(Refusal.TOO_BIG);
    }
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    if (!stripes[stripe].area.release(runAddress, runBytes)) {
      throw new IllegalStateException(
          "no slot set at 0x" + Long.toHexString(runAddress) + " in this area");
    }
    return false;
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final Stripe stripe : stripes) {
      used += stripe.area.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final Stripe stripe : stripes) {
      total += stripe.area.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final Stripe stripe : stripes) {
      best = Math.max(best, stripe.area.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
