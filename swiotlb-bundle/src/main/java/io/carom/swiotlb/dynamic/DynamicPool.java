package io.carom.swiotlb.dynamic;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.swiotlb.fixed.Area;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.NeededExtents;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.PoolShape;
import org.jspecify.annotations.Nullable;

/**
 * An extent for each mapping, which comes with it and goes with it; where that is refused, slots of
 * a small fixed pool.
 *
 * <p>Refused, as in the series: what is smaller than a page, any mapping of a device with an
 * alignment mask, everything in a restricted pool. Whether memory may be allocated for the mapping
 * or only taken where it is at hand is the core's to see from the request's attributes. Unlike in
 * the series the memory of such mappings is in the pool's statistics.
 */
public final class DynamicPool implements StrategyInstance {
  private static final int PAGE = 4096;
  private static final long FOUR_GIB = 1L << 32;
  private static final int REGION_SHARE = 4;

  private final Stripe[] stripes;
  private final ExtentPlan plan;
  private final long most;

  /** What one stripe has. */
  private static final class Stripe extends Padded {
    private final Area area;
    private final Fit fit = new Fit();
    private final NeededExtents needed = new NeededExtents();

    Stripe(final Fitting fitting) {
      area = new Area(fitting);
    }
  }

  DynamicPool(final PoolSpec spec, final DynamicSettings settings) {
    final PoolShape shape = shape(spec, settings);
    final ExtentKind kind = spec.extents() == null ? ExtentKind.RAM : spec.extents();
    stripes = new Stripe[shape.areas()];
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe(settings.fitting().on(kind));
    }
    plan =
        new ExtentPlan(
            shape.bytes(),
            Extent.SET_SIZE,
            kind == ExtentKind.RAM && !spec.restricted() ? FOUR_GIB : Long.MAX_VALUE);
    most = spec.restricted() ? 0 : Math.max(Extent.SET_SIZE, spec.availableBytes());
  }

  private static PoolShape shape(final PoolSpec spec, final DynamicSettings settings) {
    final PoolShape fixed = PoolShape.of(spec, settings.slots(), settings.areas());
    if (spec.restricted() || (spec.slots() != 0 && spec.extents() != ExtentKind.DEVICE)) {
      return fixed;
    }
    final long wanted = settings.slots() != 0 ? settings.slots() : DynamicSettings.LEAST_SLOTS;
    long bytes = ((wanted << Extent.SLOT_SHIFT) + Extent.SET_SIZE - 1) & -Extent.SET_SIZE;
    if (settings.slots() == 0) {
      bytes = Math.max(bytes, (long) fixed.areas() << Extent.SET_SHIFT);
    }
    if (spec.extents() == ExtentKind.DEVICE) {
      // What the pool takes of a region is not there for the mappings.
      final long share = (fixed.bytes() / REGION_SHARE) & -Extent.SET_SIZE;
      bytes = Math.max(Extent.SET_SIZE, Math.min(bytes, share));
    }
    final int sets = (int) (bytes >> Extent.SET_SHIFT);
    return new PoolShape(bytes, Math.min(fixed.areas(), Integer.highestOneBit(sets)));
  }

  @Override
  public int stripes() {
    return stripes.length;
  }

  @Override
  public ExtentPlan plan() {
    return plan;
  }

  /** What the fixed pool can place, as any mapping may have to go there. */
  @Override
  public long maxMappingSize(final long minAlignMask) {
    return PoolShape.maxMappingSize(minAlignMask);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].area.grant(extent);
  }

  @Override
  public void grantNeeded(final int stripe, final Extent extent) {
    stripes[stripe].needed.grant(extent);
  }

  @Override
  public void denied(final int stripe) {
    stripes[stripe].needed.deny();
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    final Stripe own = stripes[stripe];
    if (!own.needed.retract(extent)) {
      own.area.retract(extent);
    }
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    final Stripe own = stripes[stripe];
    if (request.size >= PAGE
        && (request.minAlignMask | request.allocAlignMask) == 0
        && own.fit.of(request, most)) {
      if (!own.needed.answered()) {
        own.needed.ask(own.fit, answer);
        return;
      }
      if (own.needed.place(own.fit, request, answer)) {
        return;
      }
      // Neither too large for a slot set nor fragmented: with memory it would be placed.
      if (!own.fit.of(request) || !own.area.allocate(own.fit, answer)) {
        answer.refuse(Refusal.FULL);
      }
      return;
    }
    if (own.fit.of(request)) {
      own.area.allocate(own.fit, answer);
    } else {
      answer.refuse(Refusal.TOO_BIG);
    }
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    final Stripe own = stripes[stripe];
    if (own.area.release(runAddress, runBytes)) {
      return false;
    }
    own.needed.release(runBytes);
    return true;
  }

  @Override
  public @Nullable Extent surplus(final int stripe) {
    return stripes[stripe].needed.surplus();
  }

  @Override
  public long usedSlots() {
    long used = transientSlots();
    for (final Stripe stripe : stripes) {
      used += stripe.area.usedSlots();
    }
    return used;
  }

  @Override
  public long totalSlots() {
    long total = transientSlots();
    for (final Stripe stripe : stripes) {
      total += stripe.area.totalSlots();
    }
    return total;
  }

  @Override
  public long transientSlots() {
    long slots = 0;
    for (final Stripe stripe : stripes) {
      slots += stripe.needed.slots();
    }
    return slots;
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
