package io.carom.dma.core.pool;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.StrategyInstance;

/**
 * What a pool has in place of its strategy's code when that is called no more: mappings that it has
 * left may live for as long as a driver likes, and must not hold the class loader of a bundle that
 * is gone. Nobody calls it, but who reads a pool's figures just then.
 */
record EndedInstance(int stripes, ExtentPlan plan) implements StrategyInstance {
  @Override
  public long maxMappingSize(final long minAlignMask) {
    return 0;
  }

  @Override
  public void grant(final int stripe, final Extent extent) {}

  @Override
  public void retract(final int stripe, final Extent extent) {}

  @Override
  public void allocate(final int stripe, final MapRequest request, final Placement answer) {}

  @Override
  public boolean release(final int stripe, final long runAddress, final long runBytes) {
    return false;
  }

  @Override
  public long usedSlots() {
    return 0;
  }

  @Override
  public long totalSlots() {
    return 0;
  }

  @Override
  public long largestFreeRun() {
    return 0;
  }

  @Override
  public void close() {}
}
