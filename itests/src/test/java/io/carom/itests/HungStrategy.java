package io.carom.itests;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Lets every buffer pass, until it is told to hang: then no call comes back. */
final class HungStrategy implements DmaStrategy {
  /** Its name. */
  static final String NAME = "hung";

  private static final long NAP_NS = 1_000_000;

  private final AtomicInteger hanging = new AtomicInteger();
  private volatile boolean hang;

  void hang() {
    hang = true;
  }

  void letGo() {
    hang = false;
  }

  /** Calls that hang now. */
  int hanging() {
    return hanging.get();
  }

  @Override
  public String description() {
    return "hangs when told to";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of();
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new Instance();
  }

  private final class Instance implements StrategyInstance {
    @Override
    public int stripes() {
      return 2;
    }

    @Override
    public ExtentPlan plan() {
      return ExtentPlan.NOTHING;
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      return Long.MAX_VALUE;
    }

    @Override
    public void grant(final int stripe, final Extent extent) {}

    @Override
    public void retract(final int stripe, final Extent extent) {}

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement answer) {
      if (hang) {
        hanging.incrementAndGet();
        while (hang) {
          LockSupport.parkNanos(this, NAP_NS);
        }
        hanging.decrementAndGet();
      }
      answer.pass();
    }

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
}
