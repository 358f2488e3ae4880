package io.carom.iommu.pool.remap;

import io.carom.dma.DmaAttributes;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import io.carom.iommu.pool.bounce.Need;
import io.carom.iommu.pool.bounce.Padded;
import io.carom.iommu.pool.bounce.Remaps;
import io.carom.iommu.pool.bounce.SingleUseBuffers;
import io.carom.iommu.pool.bounce.SingleUseRanges;
import io.carom.iommu.pool.bounce.Sums;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One domain's pool of a strategy that remaps. It holds nothing but the buffers of what had to be
 * bounced, each for one mapping. Stripes share the domain's addresses and the ordered map of those
 * buffers, which guard themselves.
 */
final class RemapPool implements StrategyInstance {
  private final IovaSpace space;
  private final boolean deferred;
  private final FlushPlan flushPlan;
  private final SingleUseRanges ranges;
  private final Stripe[] stripes;

  /** A stripe's own; guarded by its lock. */
  private static final class Stripe extends Padded {
    private final Need need;
    private final SingleUseBuffers buffers;

    /** The core has just said that there is no extent. */
    private boolean denied;

    Stripe(final SingleUseRanges ranges, final long granule, final int index) {
      need = new Need(granule);
      buffers = new SingleUseBuffers(ranges, index, false);
    }
  }

  RemapPool(
      final IovaSpace space, final int stripes, final boolean deferred, final FlushPlan flushPlan) {
    this.space = space;
    this.deferred = deferred;
    this.flushPlan = flushPlan;
    ranges = new SingleUseRanges(space);
    this.stripes = new Stripe[stripes];
    for (int i = 0; i < stripes; i++) {
      this.stripes[i] = new Stripe(ranges, space.granule(), i);
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
  public FlushPlan flushPlan() {
    return flushPlan;
  }

  @Override
  public boolean mapsLists() {
    return true;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    return space.last() - space.first() + 1 - space.granule(); // the offset takes one at most
  }

  /**
   * A long-lived mapping (PERSISTENT_STREAMING) would rather not be bounced, since its user does
   * without syncs and would see stale bytes. Where the buffer must be bounced it is all the same:
   * what lies beside it in the granule is not the device's to see, and protecting that is what an
   * untrusted device's IOMMU is for. A user that cannot live with a bounce is to align its buffers.
   */
  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    final Stripe mine = stripes[stripe];
    final boolean denied = mine.denied;
    mine.denied = false;
    if (!request.mustBounce || (request.attributes & DmaAttributes.MMIO) != 0) {
      Remaps.remap(space, stripe, request, deferred, answer);
      return;
    }
    mine.need.of(request);
    if (!mine.need.bounded) {
      answer.refuse(Refusal.FRAGMENTED);
    } else if (!mine.buffers.settle(mine.need, answer)) {
      mine.buffers.bounce(mine.need, denied, answer);
    }
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    if (!stripes[stripe].buffers.grant(extent)) {
      throw new IllegalStateException(
          "extent at 0x" + Long.toHexString(extent.busAddress()) + " was not asked for");
    }
  }

  @Override
  public void denied(final int stripe) {
    stripes[stripe].denied = true;
  }

  @Override
  public void denied(final int stripe, final long iova) {
    stripes[stripe].denied = stripes[stripe].buffers.denied(iova);
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    return stripes[stripe].buffers.release(runAddress);
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    if (!stripes[stripe].buffers.retract(extent)) {
      throw new IllegalStateException(
          "no extent at 0x" + Long.toHexString(extent.busAddress()) + " in this stripe");
    }
  }

  @Override
  public @Nullable Extent surplus(final int stripe) {
    return stripes[stripe].buffers.surplus();
  }

  @Override
  public void disposed(final int stripe, final Extent extent, final boolean reusable) {
    stripes[stripe].buffers.disposed(extent, reusable);
  }

  @Override
  public List<IovaClass> classes() {
    final Sums sums = new Sums(0);
    for (final Stripe stripe : stripes) {
      stripe.buffers.sum(sums);
    }
    return List.of(sums.report());
  }

  @Override
  public long usedSlots() {
    long bytes = 0;
    for (final Stripe stripe : stripes) {
      bytes += stripe.buffers.heldBytes();
    }
    return bytes >> Extent.SLOT_SHIFT;
  }

  @Override
  public long totalSlots() {
    return usedSlots();
  }

  @Override
  public long transientSlots() {
    return usedSlots();
  }

  @Override
  public long largestFreeRun() {
    return 0;
  }

  /** Gives back what leases are left; the core has disposed of all extents by now. */
  @Override
  public void close() {
    ranges.close();
  }
}
