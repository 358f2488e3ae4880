package io.carom.dma.core.pool;

import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The extents of a {@link Pool}: granted by plan or because a map needed one, kept for the next map
 * that needs one, taken back, given back.
 *
 * <p>Who owns an extent changes under its stripe's lock, and by compare-and-set; the list of those
 * granted is guarded by this object's monitor, which is taken inside stripe locks and takes none
 * itself. Extents are granted and taken back by {@link Outcalls}: a strategy that hangs in there
 * costs its stripe and the deadline, and nobody waits for it under any other lock.
 */
abstract class PoolExtents extends PoolCode {
  private final @Nullable ExtentMaker maker;
  private final Map<Integer, ExtentState> granted = new LinkedHashMap<>(); // by number
  private final List<ExtentState> discarded = new ArrayList<>();
  private final long[] grantedBytes;
  private final AtomicInteger arrivals = new AtomicInteger();
  private final AtomicInteger expecting = new AtomicInteger();

  PoolExtents(
      final String strategy,
      final StrategyInstance instance,
      final @Nullable ExtentMaker maker,
      final Containment containment) {
    super(strategy, instance, containment);
    this.maker = maker;
    grantedBytes = new long[stripes.length];
  }

  /**
   * Grants extents, each to the stripe that has least, under that stripe's lock.
   *
   * @return those that were not granted, as the strategy failed or all stripes are abandoned;
   *     nobody owns them
   */
  public final List<ExtentState> grantAll(final List<ExtentState> extents) {
    final AtomicInteger next = new AtomicInteger();
    outcall(
        "grant",
        true,
        call -> {
          while (next.get() < extents.size() && grant(call, extents.get(next.get()), next)) {
            // the next one
          }
        });
    arrivals.addAndGet(next.get());
    return extents.subList(next.get(), extents.size());
  }

  /**
   * Changes when extents were granted: a map that was refused before may find room then. Read it
   * behind {@link #isExpecting}.
   */
  public final int arrivals() {
    return arrivals.get();
  }

  /** Whether extents are on their way to it, and nobody's until they arrive. */
  public final boolean isExpecting() {
    return expecting.get() != 0;
  }

  /** Extents are about to be taken from elsewhere for it. */
  public final void expect() {
    expecting.incrementAndGet();
  }

  /**
   * They have arrived.
   *
   * @param any whether there were any, or memory of which it may make some
   */
  public final void arrived(final boolean any) {
    if (any) {
      arrivals.incrementAndGet(); // before nobody waits for it any more
    }
    expecting.decrementAndGet();
  }

  /** Grants one; false when it is not granted. */
  public final boolean grant(final ExtentState extent) {
    return grantAll(List.of(extent)).isEmpty();
  }

  private boolean grant(
      final Outcalls.Call call, final ExtentState extent, final AtomicInteger granted) {
    while (true) {
      final int stripe = poorest();
      if (stripe < 0) {
        return false;
      }
      final Stripe s = stripes[stripe];
      if (!s.lock(Thread.currentThread().threadId())) {
        continue; // abandoned meanwhile
      }
      try {
        return callable && call.step(() -> begin(extent, s, granted)) && grant(call, extent, s);
      } finally {
        s.unlock();
      }
    }
  }

  /** The extent is the stripe's before the strategy can give it back. */
  private void begin(final ExtentState extent, final Stripe stripe, final AtomicInteger granted) {
    extent.needed(false);
    give(extent, stripe);
    note(extent, stripe.index);
    granted.incrementAndGet();
  }

  private boolean grant(final Outcalls.Call call, final ExtentState extent, final Stripe stripe) {
    call.enter(stripe);
    try {
      instance.grant(stripe.index, extent.extent);
      return true;
    } catch (final RuntimeException | Error e) {
      call.leave(stripe);
      threw("grant", e);
      // It may know the extent, so the extent is its own until the core takes it back.
      return false;
    } finally {
      call.leave(stripe);
    }
  }

  /** Gives an extent that nobody has to a stripe. Under the stripe's lock. */
  private static void give(final ExtentState extent, final Stripe stripe) {
    if (!extent.own(null, stripe)) {
      final Pool owner = extent.owner();
      throw new IllegalStateException(
          "extent at 0x"
              + Long.toHexString(extent.extent.busAddress())
              + " would be granted twice: pool "
              + stripe.pool.name()
              + ", and "
              + (owner == null ? "nobody" : owner.name()));
    }
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
      give(extent, stripe);
    }
    stripe.enterStrategy();
    try {
      instance.grantNeeded(stripe.index, extent.extent);
    } catch (final RuntimeException | Error e) {
      threw("grantNeeded", e);
      if (known) {
        discard(extent);
      } else {
        extent.needed(false); // the caller disposes of it
        extent.own(stripe, null);
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
      threw("denied", e);
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
      threw("disposed", e);
    } finally {
      stripe.leaveStrategy();
    }
  }

  /**
   * Tells the strategy that extents which it gave back are gone.
   *
   * @param lost those of them that are not: it must not name their addresses again
   */
  public final void disposed(final List<ExtentState> extents, final Set<ExtentState> lost) {
    if (callable && !extents.isEmpty()) {
      outcall(
          "disposed",
          true,
          call -> extents.forEach(extent -> disposed(call, extent, !lost.contains(extent))));
    }
  }

  private void disposed(
      final Outcalls.Call call, final ExtentState extent, final boolean reusable) {
    final Stripe home = stripes[extent.lastHome()];
    if (!home.lock(Thread.currentThread().threadId())) {
      return;
    }
    try {
      if (callable) {
        call.enter(home);
        instance.disposed(home.index, extent.extent, reusable);
      }
    } catch (final RuntimeException | Error e) {
      threw("disposed", e);
    } finally {
      call.leave(home);
      home.unlock();
    }
  }

  /** Disposes of what stripes keep for the next map; whether there was any. */
  private boolean flushKept() {
    boolean any = false;
    expect(); // whoever needs an extent just now, and finds neither it nor its memory
    try {
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
      any = !flushed.isEmpty();
      return any;
    } finally {
      arrived(any);
    }
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
          Offence.NONSENSE,
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
    if (home == null || !extent.own(home, null)) {
      return; // taken back by another way
    }
    synchronized (this) {
      if (granted.remove(extent.extent.id()) != null && !extent.needed()) {
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
    if (granted.remove(extent.extent.id()) != null && !extent.needed()) {
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
    final List<ExtentState> taken = new ArrayList<>(); // by steps, until the call is over
    final List<ExtentState> retracted = new ArrayList<>();
    for (final ExtentState extent : grantedNow()) {
      final Stripe s = extent.stripe();
      if (taken.size() < most && s != null && s.pool == this) {
        if (s.abandoned()) {
          takeAbandoned(extent, s, taken);
        } else if (extent.isEmpty()) {
          retracted.add(extent);
        }
      }
    }
    if (!retracted.isEmpty() && taken.size() < most) {
      final Consumer<Outcalls.Call> body = call -> takeAll(call, retracted, most, taken);
      if (callable) {
        outcall("retract", true, body);
      } else {
        Outcalls.INLINE.run(body); // there is no code to be called
      }
    }
    return taken;
  }

  private void takeAll(
      final Outcalls.Call call,
      final List<ExtentState> extents,
      final int most,
      final List<ExtentState> taken) {
    for (final ExtentState extent : extents) {
      if (taken.size() >= most) {
        return;
      }
      // Null, or another's: meanwhile the strategy gave it back, or a call that was given up is
      // late.
      final Stripe s = extent.stripe();
      if (s != null && s.pool == this && s.lock(Thread.currentThread().threadId())) {
        try {
          if (extent.stripe() == s && extent.isEmpty() && !take(call, extent, s, taken)) {
            return;
          }
        } finally {
          s.unlock();
        }
      }
    }
  }

  /** Takes one; false when the call was given up. */
  private boolean take(
      final Outcalls.Call call,
      final ExtentState extent,
      final Stripe stripe,
      final List<ExtentState> taken) {
    if (extent.kept()) {
      return call.step(
          () -> {
            stripe.kept.remove(extent);
            took(extent, stripe, taken);
          });
    }
    if (!call.step(() -> {})) {
      return false; // before the strategy forgets it
    }
    if (callable) {
      call.enter(stripe);
      try {
        instance.retract(stripe.index, extent.extent);
      } catch (final RuntimeException | Error e) {
        threw("retract", e);
        return true;
      } finally {
        call.leave(stripe);
      }
    }
    if (!call.step(() -> took(extent, stripe, taken))) {
      discard(extent); // the strategy has forgotten it: it goes back at the next sweep
      return false;
    }
    return true;
  }

  private void took(final ExtentState extent, final Stripe stripe, final List<ExtentState> taken) {
    if (extent.own(stripe, null)) {
      taken.add(extent);
      forget(extent, stripe.index);
    }
  }

  /** The holder may still be at work in there: see StripeLock. Free, in that order, means not. */
  private void takeAbandoned(
      final ExtentState extent, final Stripe stripe, final List<ExtentState> taken) {
    if (stripe.owner() == 0 && extent.count(-1) == 0 && extent.own(stripe, null)) {
      extent.reset();
      taken.add(extent);
      forget(extent, stripe.index);
    }
  }

  /** Whether an extent could be taken back now. */
  public final boolean anyEmpty() {
    for (final ExtentState extent : grantedNow()) {
      final Stripe s = extent.stripe();
      if (s != null
          && (s.abandoned() ? s.owner() == 0 && extent.count(-1) == 0 : extent.isEmpty())) {
        return true;
      }
    }
    return false;
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
