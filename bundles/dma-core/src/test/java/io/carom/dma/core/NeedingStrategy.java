package io.carom.dma.core;

import io.carom.dma.DmaAttributes;
import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.Refusal;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A strategy that needs an extent for each mapping, and does as a test tells it otherwise. */
final class NeedingStrategy implements DmaStrategy {
  /** Whether maps that may sleep are throttled. */
  volatile boolean throttling;

  /** After so many grants maps that may sleep are throttled. */
  volatile long throttlesAfter = Long.MAX_VALUE;

  /** Whether extents are given back when their mapping ends; else they are kept as spares. */
  volatile boolean giveBack = true;

  /** What a map needs, in place of its own size, when it is not 0. */
  volatile long needs;

  /** Bytes that the pool wants in advance, in one extent, from which it lends. */
  volatile long planned;

  /** Bytes wanted back from borrowers. */
  volatile long wantedBack;

  /** Number of stripes of pools opened from now on. */
  volatile int stripes = 1;

  /** The stripe that throttles whoever may sleep, while all others are full; -1 for none. */
  volatile int throttledStripe = -1;

  /** What happens while an extent is granted that was planned. */
  volatile Runnable granting = () -> {};

  /** Whether a tick never returns. */
  volatile boolean hangInTick;

  final AtomicLong denials = new AtomicLong();
  final AtomicLong grants = new AtomicLong();
  final AtomicLong ticks = new AtomicLong();

  @Override
  public String description() {
    return "an extent for each mapping";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Set.of(ExtentKind.RAM, ExtentKind.DEVICE);
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new Instance();
  }

  private final class Instance implements StrategyInstance {
    private final Map<Long, Extent> extents = new HashMap<>();
    private final ArrayDeque<Extent> spares = new ArrayDeque<>();
    private @Nullable Extent own;
    private @Nullable Extent granted;
    private long lent;
    private boolean denied;
    private long used;

    @Override
    public int stripes() {
      return stripes;
    }

    @Override
    public ExtentPlan plan() {
      return new ExtentPlan(planned, Math.max(planned, Extent.SET_SIZE), 1L << 32);
    }

    @Override
    public long maxMappingSize(final long minAlignMask) {
      return 1 << 20;
    }

    @Override
    public void grant(final int stripe, final Extent extent) {
      own = extent;
      granting.run();
    }

    @Override
    public void grantNeeded(final int stripe, final Extent extent) {
      grants.incrementAndGet();
      granted = extent;
    }

    @Override
    public void retract(final int stripe, final Extent extent) {
      if (own != null && own.id() == extent.id()) {
        own = null;
      }
      spares.removeIf(e -> e.id() == extent.id());
    }

    @Override
    public void allocate(final int stripe, final MapRequest request, final Placement answer) {
      if ((throttling || (grants.get() >= throttlesAfter && granted == null))
          && (request.attributes & DmaAttributes.MAY_SLEEP) != 0) {
        answer.refuse(Refusal.THROTTLED);
        return;
      }
      if (throttledStripe >= 0) {
        final boolean maySleep = (request.attributes & DmaAttributes.MAY_SLEEP) != 0;
        answer.refuse(stripe == throttledStripe && maySleep ? Refusal.THROTTLED : Refusal.FULL);
        return;
      }
      if (denied) {
        denied = false;
        answer.refuse(Refusal.FRAGMENTED);
        return;
      }
      final Extent extent = granted;
      if (extent == null) {
        answer.needExtent(needs == 0 ? request.size : needs, request.allocAlignMask);
        return;
      }
      granted = null;
      extents.put(extent.busAddress(), extent);
      used += extent.slots();
      answer.bounce(extent.busAddress(), extent.busAddress(), extent.size());
    }

    @Override
    public void denied(final int stripe) {
      denials.incrementAndGet();
      denied = true;
    }

    @Override
    public boolean release(final int stripe, final long runAddress, final long runBytes) {
      final Extent extent = extents.remove(runAddress);
      if (extent == null) {
        lent -= runBytes;
        return false;
      }
      used -= extent.slots();
      if (!giveBack) {
        spares.add(extent);
      }
      return giveBack;
    }

    @Override
    public void tick(final int stripe, final long nowMs) {
      ticks.incrementAndGet();
      while (hangInTick) {
        Thread.onSpinWait();
      }
    }

    @Override
    public @Nullable Extent surplus(final int stripe) {
      return spares.poll();
    }

    @Override
    public long lend(final int stripe, final long bytes) {
      if (own == null || lent + bytes > own.size()) {
        return -1;
      }
      final long at = own.busAddress() + lent; // the test gives back in the order it borrowed
      lent += bytes;
      return at;
    }

    @Override
    public long wantedBack(final int stripe) {
      return wantedBack;
    }

    @Override
    public long usedSlots() {
      return used;
    }

    @Override
    public long totalSlots() {
      return 100_000;
    }

    @Override
    public long transientSlots() {
      return used;
    }

    @Override
    public long largestFreeRun() {
      return 0;
    }

    @Override
    public void close() {}
  }
}
