package io.carom.swiotlb.fixed;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;

/** A fixed pool: as many areas as stripes, one area each. */
public final class FixedPool implements StrategyInstance {
  private static final long FOUR_GIB = 1L << 32;

  private final Area[] areas;
  private final ExtentPlan plan;

  /** A pool of the configured size, or of all there is in a device's region. */
  FixedPool(final PoolSpec spec, final FixedSettings settings) {
    final long bytes = settings.bytes(spec);
    final int sets = (int) Math.max(1, bytes >> Extent.SET_SHIFT);
    // An area is one slot set at least: two areas must never share one.
    areas = new Area[Math.min(settings.areas(spec.cpus()), Integer.highestOneBit(sets))];
    final Fitting fitting =
        settings.fitting().on(spec.extents() == null ? ExtentKind.RAM : spec.extents());
    for (int i = 0; i < areas.length; i++) {
      areas[i] = new Area(fitting);
    }
    plan =
        new ExtentPlan(
            bytes,
            Extent.SET_SIZE, // the smallest: it drains soonest
            spec.extents() == ExtentKind.RAM ? FOUR_GIB : Long.MAX_VALUE);
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
    final long lost = (minAlignMask + Extent.SLOT_SIZE - 1) & -Extent.SLOT_SIZE;
    return Math.max(Extent.SLOT_SIZE, Extent.SET_SIZE - lost);
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
    areas[stripe].allocate(request, answer);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    areas[stripe].release(runAddress, runBytes);
    return false;
  }

  @Override
  public long usedSlots() {
    long used = 0;
    for (final Area area : areas) {
      used += area.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = 0;
    for (final Area area : areas) {
      total += area.totalSlots();
    }
    return total;
  }

  @Override
  public long largestFreeRun() {
    long best = 0;
    for (final Area area : areas) {
      best = Math.max(best, area.largestFreeRun());
    }
    return best;
  }

  @Override
  public void close() {}
}
