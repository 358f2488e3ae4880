package io.carom.dma.core.pool;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.StrategyInstance;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of a strategy with its stripes and extents: a device's own, or shared by several.
 *
 * <p>The strategy's code is called only through the stripe locks and only while {@link #callable}.
 * Once that is false and {@link #grace} is over, nobody is inside and nobody will be; extents,
 * records and counts need no strategy from then on. Drivers' threads call it in the locks of the
 * stripes and nowhere else; the core's own threads by {@link Outcalls}.
 */
public final class Pool extends PoolTicks {
  private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

  private static final long DEFAULT_BYTES = 64L << 20;
  private static final long LEAST_GRACE_NS = 5_000_000;

  private final String name;
  private final String strategy;
  private final @Nullable ExtentKind extents;
  private final @Nullable String device;
  private final @Nullable ExtentIndex own;
  private final boolean mapsLists;
  private final AtomicLong reachable = new AtomicLong();
  private boolean instanceClosed; // guarded by closing
  private final Object closing = new Object();
  private volatile @Nullable String quarantined;
  private volatile long sinceNs = System.nanoTime();
  private volatile boolean anyAbandoned;
  private long highWater;
  private int generations;

  /**
   * Wraps an instance that has no extents yet.
   *
   * @param maker where extents come from that single maps need, or null for none
   */
  public Pool(
      final String name,
      final String strategy,
      final @Nullable ExtentKind extents,
      final @Nullable String device,
      final StrategyInstance instance,
      final @Nullable ExtentMaker maker) {
    this(name, strategy, extents, device, instance, maker, null, Containment.NONE);
  }

  /**
   * Wraps an instance, also one that works in an IOMMU domain. Asks it this and that, so call it
   * where that may hang.
   *
   * @param index where the domain's extents are found, or null for one that is in no domain
   * @param containment how the strategy is contained
   */
  public Pool(
      final String name,
      final String strategy,
      final @Nullable ExtentKind extents,
      final @Nullable String device,
      final StrategyInstance instance,
      final @Nullable ExtentMaker maker,
      final @Nullable ExtentIndex index,
      final Containment containment) {
    super(strategy, instance, maker, containment);
    own = index;
    mapsLists = index != null && instance.mapsLists();
    this.name = name;
    this.strategy = strategy;
    this.extents = extents;
    this.device = device;
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new Stripe(this, i);
    }
  }

  /** Its name for people. */
  public String name() {
    return name;
  }

  /** The strategy's name. */
  public String strategy() {
    return strategy;
  }

  /** Kind of its bounce memory, or null. */
  public @Nullable ExtentKind extents() {
    return extents;
  }

  /** The device that it belongs to, or null when it is shared. */
  public @Nullable String device() {
    return device;
  }

  /** Where its extents are found, if it works in an IOMMU domain, or null. */
  @Override
  public @Nullable ExtentIndex index() {
    return own;
  }

  /** Whether its strategy places lists as one. */
  public boolean mapsLists() {
    return mapsLists;
  }

  /** A generation begins to use it. */
  public synchronized void attach() {
    generations++;
    retired = false;
  }

  /** A generation is no longer current; returns whether it was the last one. */
  public synchronized boolean detach() {
    generations--;
    retired = generations == 0;
    return retired;
  }

  /** Sets its extents aside until every mapping in them has ended. */
  public void quarantine(final String reason) {
    if (quarantined == null) {
      sinceNs = System.nanoTime();
      quarantined = reason;
      noteSetAside(setAside().size(), reason);
    }
  }

  private void noteSetAside(final int count, final String reason) {
    if (count > 0) {
      noteSetAside(new SetAside(name, strategy, count, reason));
    }
  }

  /** Whether its extents are set aside. */
  public boolean quarantined() {
    return quarantined != null;
  }

  /** Why extents of it are set aside, or null. */
  public @Nullable String quarantineReason() {
    return quarantined != null ? quarantined : anyAbandoned ? misconduct().last() : null;
  }

  /** Extents that are set aside: all of them, or those in abandoned stripes. */
  public List<ExtentState> setAside() {
    return quarantined()
        ? grantedNow()
        : grantedNow().stream()
            .filter(
                extent -> {
                  final Stripe home = extent.stripe();
                  return home != null && home.abandoned();
                })
            .toList();
  }

  /** Since when, as {@link System#nanoTime}. */
  public long quarantinedSinceNs() {
    return sinceNs;
  }

  /** Whether a stripe was abandoned. */
  public boolean anyAbandoned() {
    return anyAbandoned;
  }

  /**
   * Ends what a record stands for: gives its slots back and tells the strategy. Under the stripe's
   * lock.
   */
  public void end(final Stripe stripe, final ExtentState extent, final MappingRecord record) {
    end(instance, stripe, extent, record);
  }

  /** The same with the {@link #instance}, which was looked up before the lock. */
  public void end(
      final StrategyInstance code,
      final Stripe stripe,
      final ExtentState extent,
      final MappingRecord record) {
    extent.giveBack(record);
    final long runAddress = extent.runAddress(record);
    final long runBytes = extent.runBytes(record);
    record.free();
    if (callable) {
      release(code, stripe, extent, runAddress, runBytes);
    }
  }

  private void release(
      final StrategyInstance code,
      final Stripe stripe,
      final ExtentState extent,
      final long runAddress,
      final long runBytes) {
    boolean given = false;
    stripe.enterStrategy();
    try {
      given = code.release(stripe.index, runAddress, runBytes);
    } catch (final RuntimeException | Error e) {
      threw("release", e);
    } finally {
      stripe.leaveStrategy();
    }
    if (given) {
      giveBack(stripe, extent);
    }
  }

  /**
   * Ends a run that is held and no mapping, wherever its extent is homed by now.
   *
   * @return the pool that it was in, or null when nobody owned it any more
   */
  public static @Nullable Pool endHeld(final ExtentState extent, final MappingRecord record) {
    while (true) {
      final Stripe stripe = extent.stripe();
      if (stripe == null) {
        return null;
      }
      if (!stripe.lock(Thread.currentThread().threadId())) {
        record.free(); // abandoned: only the record counts
        return stripe.pool;
      }
      try {
        if (extent.stripe() == stripe) {
          stripe.pool.end(stripe, extent, record);
          return stripe.pool;
        }
      } finally {
        stripe.unlock();
      }
    }
  }

  /**
   * Takes slots into the share that drivers may hold as I/O buffers.
   *
   * @return false, and nothing taken, when it is used up
   */
  public boolean reserveReachable(final long slots, final int percent) {
    final long most = share() * percent / 100;
    if (reachable.addAndGet(slots) > most) {
      reachable.addAndGet(-slots);
      return false;
    }
    return true;
  }

  /**
   * Slots that a share is of: the region's, those planned or had, or what a pool has by default.
   */
  private long share() {
    final ExtentMaker from = maker();
    final long most = from == null ? 0 : from.capacity();
    if (extents == ExtentKind.DEVICE) {
      return most >> Extent.SLOT_SHIFT;
    }
    final long had = Math.max(slots(), plan.wantedBytes() >> Extent.SLOT_SHIFT);
    return had != 0 ? had : Math.min(most / 8, DEFAULT_BYTES) >> Extent.SLOT_SHIFT;
  }

  /** Gives a share back. */
  public void unreserveReachable(final long slots) {
    reachable.addAndGet(-slots);
  }

  /**
   * Waits until no call that began before is inside: takes each stripe's lock once. A stripe that
   * is still held at the timeout is abandoned.
   *
   * @param timeoutNs for all stripes, though none is given up before it had a moment
   * @return how many stripes were abandoned by this call
   */
  public int grace(final long timeoutNs) {
    int given = 0;
    final long me = Thread.currentThread().threadId();
    final long start = System.nanoTime();
    for (final Stripe stripe : stripes) {
      final long left = timeoutNs - (System.nanoTime() - start);
      if (stripe.lock(me, Math.max(LEAST_GRACE_NS, left))) {
        stripe.unlock();
      } else if (!stripe.abandoned()) {
        abandon(stripe);
        given++;
      }
    }
    return given;
  }

  /**
   * Gives up a stripe whose holder does not return. Its extents stay out of use until it does. The
   * strategy is at fault only when the holder is in its code.
   */
  public void abandon(final Stripe stripe) {
    final long holder = stripe.owner();
    abandon(stripe, null, holder);
  }

  @Override
  void abandon(final Stripe stripe, final String where) {
    abandon(stripe, where, stripe.owner());
  }

  private void abandon(final Stripe stripe, final @Nullable String known, final long holder) {
    if (!anyAbandoned) {
      sinceNs = System.nanoTime();
    }
    anyAbandoned = true; // first: who sees the stripe's flag must see this one
    if (!stripe.abandon()) {
      return;
    }
    final String where = seal(stripe);
    final String text =
        "stripe "
            + stripe.index
            + " abandoned, its extents are set aside: "
            + (known == null ? where : known)
            + " did not return";
    noteSetAside((int) grantedNow().stream().filter(e -> e.stripe() == stripe).count(), text);
    if ((stripe.visit() & 1) != 0) {
      fault(Offence.HUNG, text);
    } else {
      LOG.error("{}: {}; it is in the core's code, thread {}", name, text, holder);
    }
  }

  /**
   * Finds out whether the holder of an abandoned stripe is in the strategy's code: see {@link
   * StripeLock}. Takes a safepoint.
   *
   * @return where the holder is
   */
  public String seal(final Stripe stripe) {
    final long holder = stripe.owner();
    final long visit = stripe.visit();
    final String where = HungThread.describe(holder); // at a safepoint, behind the flag
    if ((visit & 1) != 0 && stripe.visit() == visit && stripe.owner() == holder && holder != 0) {
      stripe.seal();
    }
    return where;
  }

  /** Counts the records of a generation in abandoned stripes. */
  long countAbandoned(final int generation) {
    long sum = 0;
    for (final ExtentState extent : grantedNow()) {
      final Stripe home = extent.stripe();
      if (home != null && home.abandoned()) {
        sum += extent.count(generation);
      }
    }
    return sum;
  }

  /**
   * Does without the strategy's code from now on, in the order that makes it safe: no call begins,
   * those that go on are waited for, then the instance is closed.
   */
  public void endStrategy(final long timeoutNs) {
    callable = false;
    grace(timeoutNs);
    closeInstance(false);
  }

  /** As {@link #endStrategy}, and it is not even closed later: its service is going away. */
  public void endService(final long timeoutNs) {
    callable = false;
    grace(timeoutNs);
    closeInstance(true);
  }

  /**
   * Stops calls of the strategy for good if no generation uses the pool. Under the store's monitor,
   * under which one begins to.
   */
  public synchronized boolean disableIfRetired() {
    if (retired) {
      callable = false;
    }
    return retired;
  }

  /** Ends a pool that was opened in vain: nobody has called it yet. */
  public void close() {
    callable = false;
    closeInstance(false);
  }

  /**
   * Ends the instance, once; nobody may be inside, and one that hangs there keeps it open. Waits
   * for another one who is about it, and who is as bounded.
   *
   * @param last whether it is now or never
   */
  private void closeInstance(final boolean last) {
    synchronized (closing) {
      if (instanceClosed) {
        return;
      }
      final boolean empty = !anyoneInside();
      instanceClosed = empty || last;
      if (empty) {
        final StrategyInstance code = instance;
        outcall("close", false, call -> closeNow(code));
      }
      if (instanceClosed) {
        forgetInstance();
      }
    }
  }

  private void closeNow(final StrategyInstance code) {
    try {
      code.close();
    } catch (final RuntimeException | Error e) {
      threw("close", e);
    }
  }

  private boolean anyoneInside() {
    if (anyAbandoned) {
      for (final Stripe stripe : stripes) {
        if (stripe.abandoned() && stripe.owner() != 0) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Asks the strategy something that is in no stripe's lock.
   *
   * @return what it answered, or null when it did not: not callable, threw, or does not return
   */
  private <T> @Nullable T ask(final String what, final Supplier<T> question) {
    if (!callable) {
      return null;
    }
    final AtomicReference<@Nullable T> answer = new AtomicReference<>();
    final boolean ended =
        outcall(
            what,
            false,
            call -> {
              try {
                answer.set(question.get());
              } catch (final RuntimeException | Error e) {
                threw(what, e);
              }
            });
    return ended ? answer.get() : null;
  }

  /**
   * Largest single mapping that the strategy could place.
   *
   * @throws IllegalStateException when it does not say so, with the reason
   */
  public long maxMappingSize(final long minAlignMask) {
    final Long most = ask("maxMappingSize", () -> instance.maxMappingSize(minAlignMask));
    if (most != null && most <= 0) {
      fault(Offence.NONSENSE, "maxMappingSize is " + most);
    }
    if (most == null || most <= 0) {
      throw new IllegalStateException(lastFault());
    }
    return most;
  }

  /** How invalidations that it puts off are queued; as by default when it does not say. */
  public FlushPlan flushPlan() {
    final FlushPlan plan = ask("flushPlan", instance::flushPlan);
    return plan == null ? FlushPlan.STRIPED : plan;
  }

  /** Its size classes, for people. */
  public List<IovaClass> classes() {
    final List<IovaClass> classes = ask("classes", instance::classes);
    return classes == null ? List.of() : classes;
  }

  /**
   * Whether a request must find room in a stripe: none of the pool's slots is in use by the core's
   * own count, and the stripe has a planned extent that is long enough and in the device's reach.
   */
  public boolean isIdle(final Stripe stripe, final long size, final long dmaMask) {
    boolean room = false;
    for (final ExtentState extent : grantedNow()) {
      if (!extent.isEmpty()) {
        return false;
      }
      room |=
          extent.stripe() == stripe
              && !extent.needed()
              && extent.extent.size() >= size
              && Long.compareUnsigned(extent.extent.end() - 1, dmaMask) <= 0;
    }
    return room;
  }

  /**
   * Slots in use. A pool in a domain may have a million extents, too many to be looked at at each
   * tick: its strategy's count, as of its last tick, does.
   */
  private long used() {
    return own == null || !callable ? usedSlots() : strategysUse;
  }

  /** Notes the high-water mark; called at each tick. */
  public void tick() {
    final long used = used();
    synchronized (this) {
      highWater = Math.max(highWater, used);
    }
  }

  /** Sets the high-water mark back to what is used now. */
  public void resetHiwater() {
    final long used = used();
    synchronized (this) {
      highWater = used;
    }
  }

  /** What people see. */
  public PoolInfo info() {
    final long[] known = {-1, 0, 0};
    final long[] answer =
        ask(
            "usedSlots",
            () ->
                new long[] {
                  own == null ? -1 : instance.usedSlots(),
                  extents == null ? 0 : instance.largestFreeRun(),
                  instance.transientSlots()
                });
    final long[] numbers = answer == null ? known : answer;
    final long used = numbers[0] < 0 ? usedSlots() : numbers[0];
    synchronized (this) {
      highWater = Math.max(highWater, used);
      return new PoolInfo(
          name,
          strategy,
          extents == null ? ExtentKind.RAM : extents,
          device,
          quarantined() ? "QUARANTINED" : retired ? (callable ? "DRAINING" : "ADOPTED") : "ACTIVE",
          Math.max(slots(), used), // it may have given some back since those used were counted
          used,
          highWater,
          numbers[2],
          stripes.length,
          numbers[1]);
    }
  }
}
