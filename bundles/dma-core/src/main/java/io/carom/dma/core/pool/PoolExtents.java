package io.carom.dma.core.pool;

import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The extents of a {@link Pool}: granted by plan or because a map needed one, kept for the next map
 * that needs one, taken back, given back.
 *
 * <p>Who owns an extent changes under its stripe's lock; the list of those granted is guarded by
 * this object's monitor, which is taken inside stripe locks and takes none itself.
 */
abstract class PoolExtents {
  final StrategyInstance instance;
  final Stripe[] stripes; // filled in by the pool, whose they are

  /** Whether the strategy's code may be called. */
  volatile boolean callable = true;

  /** Whether no generation uses it for new maps. */
  volatile boolean retired;

  /** What the strategy wants, as of the last tick. */
  volatile ExtentPlan plan;

  private final @Nullable ExtentMaker maker;
  private final Map<Integer, ExtentState> granted = new LinkedHashMap<>(); // by number
  private final List<ExtentState> discarded = new ArrayList<>();
  private final long[] grantedBytes;
  private volatile long errors;
  private volatile @Nullable String lastError;

  PoolExtents(
      final String strategy, final StrategyInstance instance, final @Nullable ExtentMaker maker) {
    this.instance = instance;
    this.maker = maker;
    plan = instance.plan();
    final int count = instance.stripes();
    if (count < 1 || Integer.bitCount(count) != 1) {
      throw new IllegalStateException(
          "strategy " + strategy + " wants " + count + " stripes, which is not a power of two");
    }
    stripes = new Stripe[count];
    grantedBytes = new long[count];
  }

  /** The strategy's code. Call it under a stripe's lock, while {@link #callable}. */
  public final StrategyInstance instance() {
    return instance;
  }

  /** The stripes; their number is a power of two. */
  public final Stripe[] stripes() {
    return stripes;
  }

  /** Whether the strategy's code may be called. Read it under a stripe's lock. */
  public final boolean callable() {
    return callable;
  }

  /** Whether no generation uses it any more for new maps. */
  public final boolean retired() {
    return retired;
  }

  /** Counts a strategy's fault. */
  public final void fault(final String what) {
    synchronized (this) {
      errors++;
      lastError = what;
    }
  }

  /** How often the strategy threw or answered nonsense. */
  public final long faults() {
    return errors;
  }

  /** The last fault, or null. */
  public final @Nullable String lastFault() {
    return lastError;
  }

  /**
   * Gives an extent to the stripe that has least, under that stripe's lock.
   *
   * @return false when every stripe was abandoned, or the strategy refused with an exception
   */
  public final boolean grant(final ExtentState extent) {
    final int stripe = poorest();
    if (stripe < 0) {
      return false;
    }
    final Stripe s = stripes[stripe];
    if (!s.lock(Thread.currentThread().threadId())) {
      return false;
    }
    try {
      if (!callable) {
        return false;
      }
      extent.needed(false);
      extent.own(s);
      note(extent, stripe); // before the strategy can give it back
      s.enterStrategy();
      instance.grant(stripe, extent.extent);
    } catch (final RuntimeException | Error e) {
      forget(extent, stripe);
      extent.own(null);
      fault("grant: " + e);
      return false;
    } finally {
      s.leaveStrategy();
      s.unlock();
    }
    return true;
  }

  /**
   * Grants an extent that a map needs to the stripe that asked. Under its lock.
   *
   * @return false when the strategy failed; nobody owns the extent then
   */
  public final boolean grantNeeded(final Stripe stripe, final ExtentState extent) {
    final boolean known = extent.owner() == this;
    if (!known) {
      extent.needed(true);
      extent.own(stripe);
    }
    stripe.enterStrategy();
    try {
      instance.grantNeeded(stripe.index, extent.extent);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("grantNeeded: " + e);
      if (known) {
        discard(extent);
      } else {
        extent.needed(false); // the caller disposes of it
        extent.own(null);
      }
      return false;
    } finally {
      stripe.leaveStrategy();
    }
    if (!known) {
      synchronized (this) {
        granted.put(extent.extent.id(), extent);
      }
    }
    return true;
  }

  /** An extent that is kept for a map that needs one, or null. Under the stripe's lock. */
  public final @Nullable ExtentState keptFor(
      final Stripe stripe, final int pages, final long alignMask, final long dmaMask) {
    return stripe.kept.take(pages, alignMask, dmaMask);
  }

  /**
   * Makes an extent for a map that needs one. Without a lock: it may be a hypercall.
   *
   * @param maySleep whether the map can wait for a hypercall
   * @return null when there is none
   */
  public final @Nullable ExtentState make(
      final long bytes, final long alignMask, final long dmaMask, final boolean maySleep) {
    if (maker == null || (maker.costly() && !maySleep)) {
      return null;
    }
    final long limit = plan.limit();
    final long reach = dmaMask < 0 || dmaMask == Long.MAX_VALUE ? Long.MAX_VALUE : dmaMask + 1;
    final long bound = Math.min(limit == 0 ? Long.MAX_VALUE : limit, reach);
    final ExtentState made = maker.takePages(bytes, alignMask, bound);
    return made != null || !flushKept() ? made : maker.takePages(bytes, alignMask, bound);
  }

  /** As {@link ExtentMaker#takeAt}. Without a lock: it is a request to the IOMMU. */
  public final @Nullable ExtentState makeAt(
      final long iova, final long bytes, final int permissions) {
    return maker == null ? null : maker.takeAt(iova, bytes, permissions);
  }

  /** Tells the strategy that pages which it needs at an address are not there. Under the lock. */
  public final void denied(final Stripe stripe, final long iova) {
    if (!callable) {
      return;
    }
    stripe.enterStrategy();
    try {
      instance.denied(stripe.index, iova);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("denied: " + e);
    } finally {
      stripe.leaveStrategy();
    }
  }

  /**
   * Tells the strategy that pages which it needs were made too late, and are still mapped, as the
   * IOMMU did not unmap them: it must not name the address again. Under the lock.
   */
  public final void lost(final Stripe stripe, final ExtentState extent) {
    if (!callable) {
      return;
    }
    stripe.enterStrategy();
    try {
      instance.grantNeeded(stripe.index, extent.extent);
      instance.retract(stripe.index, extent.extent);
      instance.disposed(stripe.index, extent.extent, false);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("disposed: " + e);
    } finally {
      stripe.leaveStrategy();
    }
  }

  /** Tells the strategy that an extent which it gave back is gone, or lost. */
  public final void disposed(final ExtentState extent, final boolean reusable) {
    final Stripe home = stripes[extent.lastHome()];
    if (!home.lock(Thread.currentThread().threadId())) {
      return;
    }
    try {
      if (callable) {
        home.enterStrategy();
        instance.disposed(home.index, extent.extent, reusable);
      }
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("disposed: " + e);
    } finally {
      home.leaveStrategy();
      home.unlock();
    }
  }

  /** Disposes of what stripes keep for the next map; whether there was any. */
  private boolean flushKept() {
    for (final Stripe stripe : stripes) {
      if (stripe.lock(Thread.currentThread().threadId())) {
        try {
          stripe.kept.flush().forEach(this::discard);
        } finally {
          stripe.unlock();
        }
      }
    }
    final List<ExtentState> flushed = takeDiscarded();
    flushed.forEach(this::unmake);
    return !flushed.isEmpty();
  }

  /** Gives an extent that was made in vain back; false when it is lost. */
  public final boolean unmake(final ExtentState extent) {
    return maker == null || maker.dispose(extent);
  }

  /**
   * The strategy gave an extent back, and has forgotten it. Under its stripe's lock. Kept for the
   * next map that needs one where making one is costly for nobody; else it goes back at the next
   * sweep, as disposing of it may sleep.
   */
  public final void giveBack(final Stripe stripe, final ExtentState extent) {
    if (!extent.isEmpty()) {
      fault(
          "gave back the extent at 0x" + Long.toHexString(extent.extent.busAddress()) + " in use");
      return;
    }
    if (!extent.needed()
        || retired
        || maker == null
        || maker.costly()
        || !stripe.kept.keep(extent)) {
      discard(extent);
    }
  }

  final void discard(final ExtentState extent) {
    final Stripe home = extent.stripe();
    extent.own(null);
    synchronized (this) {
      if (granted.remove(extent.extent.id()) != null && !extent.needed() && home != null) {
        grantedBytes[home.index] -= extent.extent.size();
      }
      discarded.add(extent);
    }
  }

  private synchronized void note(final ExtentState extent, final int stripe) {
    granted.put(extent.extent.id(), extent);
    grantedBytes[stripe] += extent.extent.size();
  }

  private synchronized void forget(final ExtentState extent, final int stripe) {
    if (granted.remove(extent.extent.id()) != null) {
      grantedBytes[stripe] -= extent.extent.size();
    }
  }

  /** Where its extents come from, or null. */
  final @Nullable ExtentMaker maker() {
    return maker;
  }

  /** Whether it owns nothing, and has nothing to give back either. */
  public final synchronized boolean isBare() {
    return granted.isEmpty() && discarded.isEmpty();
  }

  final synchronized @Nullable ExtentState granted(final int id) {
    return granted.get(id);
  }

  /** Extents that nobody owns any more and that go back to where they came from. */
  public final synchronized List<ExtentState> takeDiscarded() {
    if (discarded.isEmpty()) {
      return List.of();
    }
    final List<ExtentState> result = List.copyOf(discarded);
    discarded.clear();
    return result;
  }

  private synchronized int poorest() {
    int best = -1;
    for (int i = 0; i < stripes.length; i++) {
      if (!stripes[i].abandoned() && (best < 0 || grantedBytes[i] < grantedBytes[best])) {
        best = i;
      }
    }
    return best;
  }

  /**
   * Takes back extents without live mappings.
   *
   * @param most at most so many
   * @return what was taken; nobody owns it now
   */
  public final List<ExtentState> takeEmpty(final int most) {
    final List<ExtentState> taken = new ArrayList<>();
    for (final ExtentState extent : grantedNow()) {
      if (taken.size() >= most) {
        break;
      }
      if (take(extent)) {
        taken.add(extent);
      }
    }
    return taken;
  }

  private boolean take(final ExtentState extent) {
    final Stripe s = extent.stripe();
    if (s == null) {
      return false; // the strategy gave it back meanwhile
    }
    if (s.abandoned()) {
      // The holder may still be at work in there: see StripeLock. Free, in that order, means not.
      if (s.owner() != 0 || extent.count(-1) != 0) {
        return false;
      }
      extent.own(null);
      extent.reset();
    } else {
      if (!extent.isEmpty() || !s.lock(Thread.currentThread().threadId())) {
        return false;
      }
      try {
        if (extent.stripe() != s || !extent.isEmpty()) {
          return false;
        }
        if (extent.kept()) {
          s.kept.remove(extent);
        } else if (callable) {
          s.enterStrategy();
          instance.retract(s.index, extent.extent);
        }
        extent.own(null);
      } catch (final RuntimeException | LinkageError e) {
        fault("retract: " + e);
        return false;
      } finally {
        s.leaveStrategy();
        s.unlock();
      }
    }
    synchronized (this) {
      if (granted.remove(extent.extent.id()) != null && !extent.needed()) {
        grantedBytes[s.index] -= extent.extent.size();
      }
    }
    return true;
  }

  /** The extents granted now. */
  public final synchronized List<ExtentState> grantedNow() {
    return List.copyOf(granted.values());
  }

  /** What it wants, as of the last tick. */
  public final ExtentPlan plan() {
    return plan;
  }

  /** Bytes granted now by plan; what single maps needed is not counted. */
  public final synchronized long grantedBytes() {
    long sum = 0;
    for (final long bytes : grantedBytes) {
      sum += bytes;
    }
    return sum;
  }

  /** Slots in use, by the core's own count. */
  public final long usedSlots() {
    long used = 0;
    for (final ExtentState extent : grantedNow()) {
      used += extent.usedSlots();
    }
    return used;
  }

  final synchronized long slots() {
    long slots = 0;
    for (final ExtentState extent : granted.values()) {
      slots += extent.kept() ? 0 : extent.extent.slots();
    }
    return slots;
  }
}
