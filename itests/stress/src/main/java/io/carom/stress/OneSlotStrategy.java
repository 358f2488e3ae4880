package io.carom.stress;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;

/** As little strategy as there can be: the first slot of its one extent, or always full. */
final class OneSlotStrategy implements StrategyInstance {
  private final boolean full;
  private long base = -1;
  private int used;

  /** Calls of release; under the stripe's lock, as everything here. */
  private int released;

  OneSlotStrategy(final boolean full) {
    this.full = full;
  }

  @Override
  public int stripes() {
    return 1;
  }

  @Override
  public ExtentPlan plan() {
    return ExtentPlan.NOTHING;
  }

  @Override
  public long maxMappingSize(final long minAlignMask) {
    return Extent.SLOT_SIZE;
  }

  @Override
  public void grant(final int stripe, final Extent extent) {
    base = extent.busAddress();
  }

  @Override
  public void retract(final int stripe, final Extent extent) {
    base = -1;
  }

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {
    if (full || used != 0 || base < 0) {
      answer.refuse(Refusal.FULL);
    } else {
      used++;
      answer.bounce(base, base, Extent.SLOT_SIZE);
    }
  }

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    used--;
    released++;
    return false;
  }

  /** Releases so far. */
  int released() {
    return released;
  }

  @Override
  public long usedSlots() {
    return used;
  }

  @Override
  public long totalSlots() {
    return Extent.SET_SLOTS;
  }

  @Override
  public long largestFreeRun() {
    return Extent.SLOT_SIZE;
  }

  @Override
  public void close() {}
}
