package io.carom.iommu.pool.slots;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.bounce.SingleUseBuffers;
import io.carom.iommu.pool.bounce.SingleUseRanges;
import io.carom.iommu.pool.bounce.Sums;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One domain's bounce pool, shared by the devices of the domain.
 *
 * <p>What stripes share: the ranges, the counters of slots that were never used, the ordered map of
 * single-use buffers, the bounce limit, and the domain's addresses; each guards itself and says
 * how. All else is one stripe's, under its lock, and so are the slots that a stripe took.
 *
 * <p>A pool that nobody uses has no pages: buffers are made for the first map that needs them, and
 * an idle one goes after one to two periods.
 */
final class DomainPool implements StrategyInstance {
  private static final Logger LOG = LoggerFactory.getLogger(DomainPool.class);

  private final IovaSpace space;
  private final Reservations reservations;
  private final SingleUseRanges singles;
  private final PoolStripe[] stripes;
  private final int granuleShift;

  DomainPool(
      final IovaSpace space,
      final int stripes,
      final PoolSettings settings,
      final BounceLimit limit) {
    this.space = space;
    granuleShift = Long.numberOfTrailingZeros(space.granule());
    reservations = new Reservations(space, settings.slotsPerClass(), stripes);
    singles = new SingleUseRanges(space);
    this.stripes = new PoolStripe[stripes];
    for (int i = 0; i < stripes; i++) {
      this.stripes[i] =
          new PoolStripe(
              i, space, settings, limit, reservations, new SingleUseBuffers(singles, i, true));
    }
  }

  @Override
  public int stripes() {
    return stripes.length;
  }

  @Override
  public ExtentPlan plan() {
    return ExtentPlan.NOTHING;
  }

  @Override
  public boolean mapsLists() {
    return true;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    return space.last() - space.first() + 1 - space.granule(); // the offset takes one at most
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    stripes[stripe].allocate(request, answer);
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    stripes[stripe].grant(extent);
  }

  @Override
  public void denied(final int stripe) {
    stripes[stripe].denied();
  }

  @Override
  public void denied(final int stripe, final long iova) {
    stripes[stripe].denied(iova);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    stripes[stripe].release(runAddress, runBytes);
    return false; // kept, to be used again
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    stripes[stripe].retract(extent);
  }

  @Override
  public void tick(final int stripe, final long nowMs) {
    stripes[stripe].tick(nowMs);
    reservations.tell(LOG);
  }

  @Override
  public @Nullable Extent surplus(final int stripe) {
    return stripes[stripe].surplus();
  }

  @Override
  public void disposed(final int stripe, final Extent extent, final boolean reusable) {
    stripes[stripe].disposed(extent, reusable);
  }

  @Override
  public void shrink(final int stripe) {
    stripes[stripe].shrink();
  }

  @Override
  public List<IovaClass> classes() {
    final List<IovaClass> classes = new ArrayList<>();
    final SlotRange[] ranges = reservations.ranges();
    for (int i = 0; i < SlotLayout.CLASSES; i++) {
      final Sums sums = new Sums(1L << (granuleShift + i));
      for (final SlotRange range : ranges) {
        sums.slots += range.layout.slots();
        sums.untouched += range.layout.slots(); // less what stripes have touched
        for (final PoolStripe stripe : stripes) {
          final StripeSlots slots = stripe.in(range.index);
          if (slots != null) {
            slots.sum(i, sums);
          }
        }
      }
      classes.add(sums.report());
    }
    final Sums single = new Sums(0);
    for (final PoolStripe stripe : stripes) {
      stripe.single.sum(single);
    }
    classes.add(single.report());
    return classes;
  }

  @Override
  public long usedSlots() {
    return (heldBytes() - idleBytes()) >> Extent.SLOT_SHIFT;
  }

  @Override
  public long totalSlots() {
    return heldBytes() >> Extent.SLOT_SHIFT;
  }

  private long heldBytes() {
    long bytes = 0;
    for (final PoolStripe stripe : stripes) {
      bytes += stripe.single.heldBytes();
      for (int range = 0; range < Reservations.MOST; range++) {
        final StripeSlots slots = stripe.in(range);
        for (int i = 0; slots != null && i < SlotLayout.CLASSES; i++) {
          bytes += slots.held(i) << (granuleShift + i);
        }
      }
    }
    return bytes;
  }

  private long idleBytes() {
    long bytes = 0;
    for (final PoolStripe stripe : stripes) {
      bytes += stripe.single.idleBytes();
      for (int i = 0; i < SlotLayout.CLASSES; i++) {
        bytes += idle(stripe, i) << (granuleShift + i);
      }
    }
    return bytes;
  }

  private static long idle(final PoolStripe stripe, final int sizeClass) {
    long sum = 0;
    for (int range = 0; range < Reservations.MOST; range++) {
      final StripeSlots slots = stripe.in(range);
      sum += slots == null ? 0 : slots.idle(sizeClass);
    }
    return sum;
  }

  /** The largest idle buffer. */
  @Override
  public long largestFreeRun() {
    for (int i = SlotLayout.CLASSES - 1; i >= 0; i--) {
      for (final PoolStripe stripe : stripes) {
        if (idle(stripe, i) > 0) {
          return 1L << (granuleShift + i);
        }
      }
    }
    return 0;
  }

  /** Gives the ranges and what leases are left back; the core has disposed of all extents. */
  @Override
  public void close() {
    for (final SlotRange range : reservations.ranges()) {
      boolean leaked = false;
      for (final PoolStripe stripe : stripes) {
        final StripeSlots slots = stripe.in(range.index);
        leaked |= slots != null && slots.leaked();
      }
      reservations.giveBack(range, leaked, LOG);
    }
    singles.close();
  }
}
