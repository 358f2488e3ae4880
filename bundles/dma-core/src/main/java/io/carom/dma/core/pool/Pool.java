package io.carom.dma.core.pool;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.StrategyInstance;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of a strategy with its stripes and extents: a device's own, or shared by several.
 *
 * <p>The strategy's code is called only through the stripe locks and only while {@link #callable}.
 * Once that is false and {@link #grace} is over, nobody is inside and nobody will be; extents,
 * records and counts need no strategy from then on.
 */
public final class Pool extends PoolExtents {
  private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

  private static final long DEFAULT_BYTES = 64L << 20;

  private final String name;
  private final String strategy;
  private final @Nullable ExtentKind extents;
  private final @Nullable String device;
  private final @Nullable ExtentIndex own;
  private final boolean mapsLists;
  private volatile boolean shrink;
  private volatile Runnable waker = () -> {};
  private volatile boolean refused;
  private volatile boolean tickless;
  private final AtomicLong reachable = new AtomicLong();
  private boolean instanceClosed;
  private volatile boolean quarantined;
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
    this(name, strategy, extents, device, instance, maker, null);
  }

  /**
   * Wraps an instance that works in an IOMMU domain.
   *
   * @param index where the domain's extents are found, or null for one that is in no domain
   */
  public Pool(
      final String name,
      final String strategy,
      final @Nullable ExtentKind extents,
      final @Nullable String device,
      final StrategyInstance instance,
      final @Nullable ExtentMaker maker,
      final @Nullable ExtentIndex index) {
    super(strategy, instance, maker);
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
  public @Nullable ExtentIndex index() {
    return own;
  }

  /** Whether its strategy places lists as one. */
  public boolean mapsLists() {
    return mapsLists;
  }

  /** Memory is short: the strategy is asked at its next tick to give back what is idle. */
  public void shrink() {
    shrink = true;
    waker.run();
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
  public void quarantine() {
    quarantined = true;
  }

  /** Whether its extents are set aside. */
  public boolean quarantined() {
    return quarantined;
  }

  /** Whether a stripe was abandoned. */
  public boolean anyAbandoned() {
    return anyAbandoned;
  }

  /** Sets whom to wake when a map was refused, so that a strategy which grows is asked soon. */
  public void waker(final Runnable value) {
    waker = value;
  }

  /** A map was refused for lack of room. Cheap when said again before the next tick. */
  public void refused() {
    if (!refused) {
      refused = true;
      waker.run();
    }
  }

  /** The strategy hangs in a tick: it gets none any more. */
  public void tickless() {
    tickless = true;
    fault("tick did not return");
    LOG.error("{}: a tick did not return; the strategy gets none any more", name);
  }

  /** Lets time pass for all stripes, takes back what is surplus, and asks for the plan. */
  public void tickStrategy(final long nowMs) {
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
      }
    } catch (final RuntimeException | Error e) {
      fault("plan: " + e);
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
          fault("gave back an extent that is not empty or not its own");
          return;
        }
        discard(extent);
      }
      stripe.wantedBack = instance.wantedBack(stripe.index);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("tick: " + e);
    } finally {
      stripe.leaveStrategy();
    }
  }

  /**
   * Asks the strategy for a run to lend. Under the stripe's lock, while it is callable.
   *
   * @return its bus address, or -1
   */
  public long lend(final Stripe stripe, final long bytes) {
    stripe.enterStrategy();
    try {
      return instance.lend(stripe.index, bytes);
    } catch (final RuntimeException | Error e) {
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("lend: " + e);
      return -1;
    } finally {
      stripe.leaveStrategy();
    }
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
      // Any error: after an update of its bundle a strategy's classes may no longer load.
      fault("release: " + e);
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
   * is still held at the timeout by a thread inside the strategy is abandoned.
   *
   * @return how many stripes were abandoned by this call
   */
  public int grace(final long timeoutNs) {
    int given = 0;
    final long me = Thread.currentThread().threadId();
    for (final Stripe stripe : stripes) {
      if (stripe.lock(me, timeoutNs)) {
        stripe.unlock();
      } else if (!stripe.abandoned()) {
        abandon(stripe);
        given++;
      }
    }
    return given;
  }

  /** Gives up a stripe whose holder does not return. Its extents stay out of use until it does. */
  public void abandon(final Stripe stripe) {
    anyAbandoned = true;
    final long holder = stripe.owner();
    stripe.abandon();
    fault("stripe " + stripe.index + " abandoned: thread " + holder + " did not return");
    LOG.error(
        "{}: stripe {} abandoned, its extents are set aside: {}",
        name,
        stripe.index,
        HungThread.describe(holder));
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
    closeInstance();
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
    closeInstance();
  }

  /** Ends the instance, once; nobody may be inside, and one that hangs there keeps it open. */
  private void closeInstance() {
    if (!instanceClosed && !anyAbandoned) {
      instanceClosed = true;
      try {
        instance.close();
      } catch (final RuntimeException | LinkageError e) {
        fault("close: " + e);
      }
    }
  }

  /**
   * Slots in use. A pool in a domain may have a million extents, too many to be looked at at each
   * tick: its strategy's count does.
   */
  private long used() {
    return own == null || !callable ? usedSlots() : instance.usedSlots();
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
    final long used = used();
    final long run = callable && extents != null ? instance.largestFreeRun() : 0;
    synchronized (this) {
      highWater = Math.max(highWater, used);
      return new PoolInfo(
          name,
          strategy,
          extents == null ? ExtentKind.RAM : extents,
          device,
          quarantined ? "QUARANTINED" : retired ? (callable ? "DRAINING" : "ADOPTED") : "ACTIVE",
          slots(),
          used,
          highWater,
          callable ? instance.transientSlots() : 0,
          stripes.length,
          run);
    }
  }
}
