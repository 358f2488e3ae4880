package io.carom.dma.core.pool;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.StrategyInstance;
import org.jspecify.annotations.Nullable;

/** Time that passes for a {@link Pool}: what its strategy wants, gives back, and lends. */
abstract class PoolTicks extends PoolExtents {
  /** Slots in use by the strategy's own count, as of the last tick. */
  volatile long strategysUse;

  private volatile boolean shrink;
  private volatile Runnable waker = () -> {};
  private volatile boolean refused;
  private volatile boolean tickless;

  PoolTicks(
      final String strategy,
      final StrategyInstance instance,
      final @Nullable ExtentMaker maker,
      final Containment containment) {
    super(strategy, instance, maker, containment);
  }

  /** Where its extents are found, if it works in an IOMMU domain, or null. */
  abstract @Nullable ExtentIndex index();

  /** Memory is short: the strategy is asked at its next tick to give back what is idle. */
  public final void shrink() {
    shrink = true;
    waker.run();
  }

  /** Sets whom to wake when a map was refused, so that a strategy which grows is asked soon. */
  public final void waker(final Runnable value) {
    waker = value;
  }

  /** A map was refused for lack of room. Cheap when said again before the next tick. */
  public final void refused() {
    if (!refused) {
      refused = true;
      waker.run();
    }
  }

  /** The strategy hangs in a tick: it gets none any more. */
  public final void tickless() {
    tickless = true;
    fault(Offence.HUNG, "tick did not return");
  }

  /** Lets time pass for all stripes, takes back what is surplus, and asks for the plan. */
  public final void tickStrategy(final long nowMs) {
    if (tickless || retired || !callable) {
      return;
    }
    refused = false;
    final boolean shrinking = shrink;
    shrink = false;
    for (final Stripe stripe : stripes) {
      if (stripe.lock(Thread.currentThread().threadId())) {
        try {
          if (callable) {
            tick(stripe, nowMs, shrinking);
          }
        } finally {
          stripe.unlock();
        }
      }
    }
    askPlan();
  }

  /** Under the lock of a stripe, as all of the strategy's code: whoever ends it waits for us. */
  private void askPlan() {
    final Stripe stripe = stripes[0];
    if (!stripe.lock(Thread.currentThread().threadId())) {
      return;
    }
    try {
      if (callable) {
        stripe.enterStrategy();
        plan = instance.plan();
        strategysUse = index() == null ? 0 : instance.usedSlots();
      }
    } catch (final RuntimeException | Error e) {
      threw("plan", e);
    } finally {
      stripe.leaveStrategy();
      stripe.unlock();
    }
  }

  private void tick(final Stripe stripe, final long nowMs, final boolean shrinking) {
    for (final ExtentState extent : stripe.kept.trim()) {
      discard(extent);
    }
    stripe.enterStrategy();
    try {
      if (shrinking) {
        instance.shrink(stripe.index);
      }
      instance.tick(stripe.index, nowMs);
      for (Extent e = instance.surplus(stripe.index);
          e != null && !stripe.abandoned();
          e = instance.surplus(stripe.index)) {
        final ExtentState extent = granted(e.id());
        if (extent == null || extent.stripe() != stripe || !extent.isEmpty() || extent.kept()) {
          fault(
              Offence.NONSENSE,
              "gave back the extent at 0x"
                  + Long.toHexString(e.busAddress())
                  + ", which is not empty or not its own");
          return;
        }
        discard(extent);
      }
      if (!stripe.abandoned()) {
        stripe.wantedBack = instance.wantedBack(stripe.index);
      }
    } catch (final RuntimeException | Error e) {
      threw("tick", e);
    } finally {
      stripe.leaveStrategy();
    }
  }

  /**
   * Asks the strategy for a run to lend. Under the stripe's lock, while it is callable.
   *
   * @return its bus address, or -1
   */
  public final long lend(final Stripe stripe, final long bytes) {
    stripe.enterStrategy();
    try {
      return instance.lend(stripe.index, bytes);
    } catch (final RuntimeException | Error e) {
      threw("lend", e);
      return -1;
    } finally {
      stripe.leaveStrategy();
    }
  }
}
