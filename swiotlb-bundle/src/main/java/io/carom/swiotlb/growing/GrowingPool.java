package io.carom.swiotlb.growing;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.PoolShape;
import org.jspecify.annotations.Nullable;

/** A pool that grows and shrinks; a restricted one does neither. */
public final class GrowingPool implements StrategyInstance {
  private final Growth growth;
  private final GrowingArea[] areas;

  GrowingPool(final PoolSpec spec, final GrowingSettings settings) {
    growth = new Growth(spec, settings);
    final Fitting fitting =
        settings.fitting().on(spec.extents() == null ? ExtentKind.RAM : spec.extents());
    areas = new GrowingArea[growth.areas()];
    for (int i = 0; i < areas.length; i++) {
      areas[i] = new GrowingArea(growth, settings, fitting);
    }
    for (final GrowingArea area : areas) {
      area.others(areas);
    }
  }

  @Override
  public int stripes() {
    return areas.length;
  }

  @Override
  public ExtentPlan plan() {
    return growth.plan(usedSlots(), totalSlots(), transientSlots());
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    return PoolShape.maxMappingSize(minAlignMask);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    areas[stripe].grant(extent);
  }

  @Override
  public void grantNeeded(final int stripe, final Extent extent) {
    areas[stripe].grantNeeded(extent);
  }

  @Override
  public void denied(final int stripe) {
    areas[stripe].denied();
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    areas[stripe].retract(extent);
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    areas[stripe].allocate(request, answer);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    return areas[stripe].release(runAddress, runBytes);
  }

  @Override
  public void tick(final int stripe, final long nowMs) {
    areas[stripe].tick(nowMs, this);
  }

  @Override
  public @Nullable Extent surplus(final int stripe) {
    return areas[stripe].surplus();
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final GrowingArea area : areas) {
      used += area.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final GrowingArea area : areas) {
      total += area.totalSlots();
    }
    return total;
  }

  @Override
  public long transientSlots() {
    long slots = 0;
    for (final GrowingArea area : areas) {
      slots += area.transientSlots();
    }
    return slots;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final GrowingArea area : areas) {
      best = Math.max(best, area.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
