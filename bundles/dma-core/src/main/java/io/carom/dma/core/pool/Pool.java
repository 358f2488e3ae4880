package io.carom.dma.core.pool;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
public final class Pool {
  private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

  private final String name;
  private final String strategy;
  private final @Nullable ExtentKind extents;
  private final @Nullable String device;
  private final StrategyInstance instance;
  private final Stripe[] stripes;
  private final @Nullable ExtentMaker maker;
  private final Map<Integer, ExtentState> granted = new LinkedHashMap<>(); // by number
  private final List<ExtentState> discarded = new ArrayList<>();
  private final long[] grantedBytes;
  private volatile ExtentPlan plan;
  private volatile Runnable waker = () -> {};
  private volatile boolean refused;
  private volatile boolean tickless;
  private final AtomicLong reachable = new AtomicLong();
  private volatile boolean callable = true;
  private volatile boolean retired;
  private boolean instanceClosed;
  private volatile boolean quarantined;
  private volatile boolean anyAbandoned;
  private volatile long errors;
  private volatile @Nullable String lastError;
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
    this.maker = maker;
    plan = instance.plan();
    this.name = name;
    this.strategy = strategy;
    this.extents = extents;
    this.device = device;
    this.instance = instance;
    final int count = instance.stripes();
    if (count < 1 || Integer.bitCount(count) != 1) {
      throw new IllegalStateException(
          "strategy " + strategy + " wants " + count + " stripes, which is not a power of two");
    }
    stripes = new Stripe[count];
    for (int i = 0; i < count; i++) {
      stripes[i] = new Stripe(this, i);
    }
    grantedBytes = new long[count];
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

  /** The strategy's code. Call it under a stripe's lock, while {@link #callable}. */
  public StrategyInstance instance() {
    return instance;
  }

  /** The stripes; their number is a power of two. */
  public Stripe[] stripes() {
    return stripes;
  }

  /** Whether the strategy's code may be called. Read it under a stripe's lock. */
  public boolean callable() {
    return callable;
  }

  /** Whether no generation uses it any more for new maps. */
  public boolean retired() {
    return retired;
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

  /** Counts a strategy's fault. */
  public void fault(final String what) {
    synchronized (this) {
      errors++;
      lastError = what;
    }
  }

  /** How often the strategy threw or answered nonsense. */
  public long faults() {
    return errors;
  }

  /** The last fault, or null. */
  public @Nullable String lastFault() {
    return lastError;
  }

  /**
   * Gives an extent to the stripe that has least, under that stripe's lock.
   *
   * @return false when every stripe was abandoned, or the strategy refused with an exception
   */
  public boolean grant(final ExtentState extent) {
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
      s.enterStrategy();
      instance.grant(stripe, extent.extent);
    } catch (final RuntimeException | LinkageError e) {
      extent.own(null);
      fault("grant: " + e);
      return false;
    } finally {
      s.leaveStrategy();
      s.unlock();
    }
    synchronized (this) {
      granted.put(extent.extent.id(), extent);
      grantedBytes[stripe] += extent.extent.size();
    }
    return true;
  }

  /**
   * Grants an extent that a map needs to the stripe that asked. Under its lock.
   *
   * @return false when the strategy failed; nobody owns the extent then
   */
  public boolean grantNeeded(final Stripe stripe, final ExtentState extent) {
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
  public @Nullable ExtentState keptFor(
      final Stripe stripe, final int pages, final long alignMask, final long dmaMask) {
    return stripe.kept.take(pages, alignMask, dmaMask);
  }

  /**
   * Makes an extent for a map that needs one. Without a lock: it may be a hypercall.
   *
   * @param maySleep whether the map can wait for a hypercall
   * @return null when there is none
   */
  public @Nullable ExtentState make(
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

  /** Gives an extent that was made in vain back. */
  public void unmake(final ExtentState extent) {
    if (maker != null) {
      maker.give(extent);
    }
  }

  /**
   * The strategy gave an extent back, and has forgotten it. Under its stripe's lock. Kept for the
   * next map that needs one where making one is costly for nobody; else it goes back at the next
   * sweep, as disposing of it may sleep.
   */
  public void giveBack(final Stripe stripe, final ExtentState extent) {
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

  private void discard(final ExtentState extent) {
    final Stripe home = extent.stripe();
    extent.own(null);
    synchronized (this) {
      if (granted.remove(extent.extent.id()) != null && !extent.needed() && home != null) {
        grantedBytes[home.index] -= extent.extent.size();
      }
      discarded.add(extent);
    }
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
    for (final Stripe stripe : stripes) {
      if (stripe.lock(Thread.currentThread().threadId())) {
        try {
          if (callable) {
            tick(stripe, nowMs);
          }
        } finally {
          stripe.unlock();
        }
      }
    }
    try {
      plan = instance.plan();
    } catch (final RuntimeException | Error e) {
      fault("plan: " + e);
    }
  }

  private void tick(final Stripe stripe, final long nowMs) {
    for (final ExtentState extent : stripe.kept.trim()) {
      discard(extent);
    }
    stripe.enterStrategy();
    try {
      instance.tick(stripe.index, nowMs);
      for (Extent e = instance.surplus(stripe.index);
          e != null && !stripe.abandoned();
          e = instance.surplus(stripe.index)) {
        final ExtentState extent = granted(e.id());
        if (extent == null || extent.stripe() != stripe || !extent.isEmpty()) {
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

  private synchronized @Nullable ExtentState granted(final int id) {
    return granted.get(id);
  }

  /** Extents that nobody owns any more and that go back to where they came from. */
  public synchronized List<ExtentState> takeDiscarded() {
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
  public List<ExtentState> takeEmpty(final int most) {
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
  public synchronized List<ExtentState> grantedNow() {
    return List.copyOf(granted.values());
  }

  /** What it wants, as of the last tick. */
  public ExtentPlan plan() {
    return plan;
  }

  /** Bytes granted now by plan; what single maps needed is not counted. */
  public synchronized long grantedBytes() {
    long sum = 0;
    for (final long bytes : grantedBytes) {
      sum += bytes;
    }
    return sum;
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
    final long runBytes = (long) record.runSlots() << Extent.SLOT_SHIFT;
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
    final long most = instance.totalSlots() * percent / 100;
    if (reachable.addAndGet(slots) > most) {
      reachable.addAndGet(-slots);
      return false;
    }
    return true;
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

  /** Ends a pool that nobody uses. */
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

  /** Notes the high-water mark; called at each tick. */
  public void tick() {
    final long used = usedSlots();
    synchronized (this) {
      highWater = Math.max(highWater, used);
    }
  }

  /** Sets the high-water mark back to what is used now. */
  public void resetHiwater() {
    final long used = usedSlots();
    synchronized (this) {
      highWater = used;
    }
  }

  /** Slots in use, by the core's own count. */
  public long usedSlots() {
    long used = 0;
    for (final ExtentState extent : grantedNow()) {
      used += extent.usedSlots();
    }
    return used;
  }

  private long slots() {
    long slots = 0;
    for (final ExtentState extent : granted.values()) {
      slots += extent.kept() ? 0 : extent.extent.slots();
    }
    return slots;
  }

  /** What people see. */
  public PoolInfo info() {
    final long used = usedSlots();
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
