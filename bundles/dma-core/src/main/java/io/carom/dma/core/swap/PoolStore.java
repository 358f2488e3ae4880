package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.QuarantineInfo;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.memory.RamSpace;
import io.carom.dma.core.pool.Containment;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Outcalls;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The pools: opens them, fills them with extents, moves extents from one that is given up to the
 * one that follows it, and disposes of what nobody wants. A pool on RAM is shared by all devices of
 * its strategy unless that wants one for each, one on a region is the device's own, one on the
 * memory of a restricted pool is shared by the devices that are bound to it.
 *
 * <p><b>Protocol.</b> The list of pools, which generations are in one, and whether one is about to
 * end are guarded by this object's monitor, under which no strategy is called and nothing is waited
 * for. Strategies are called beside it, by {@link Outcalls}, each call bounded by the watchdog's
 * deadline; who calls has claimed what he works on:
 *
 * <ul>
 *   <li>who uses a pool is attached to it before, under the monitor, so that it does not end;
 *   <li>who fills one holds its {@code filling} lock, so that it does not get more than it wants,
 *       and so does who empties one that nobody uses, so that whoever begins to use it finds it
 *       full; a pool ends only while nobody fills it, and is not filled from then on; a thread
 *       holds one such lock at most;
 *   <li>an extent that is on its way belongs to nobody but the thread that took it, by the
 *       compare-and-set of its owner, so any number of threads may collect from one pool;
 *   <li>a pool that ends is marked first, and stays in the list until its strategy has been left:
 *       who stops the strategy's bundle finds it there, and waits as well.
 * </ul>
 *
 * So a strategy that hangs while it is opened, filled, emptied or closed holds up its own pool, for
 * the deadline.
 */
public final class PoolStore {
  private static final int STEPS = 8;
  private static final long END_NS = 100_000_000;

  private final PoolOpener opener;
  private final List<PoolEntry> entries = new ArrayList<>();
  private final List<Generation> ended = new ArrayList<>();
  private volatile List<Pool> pools = List.of();
  private volatile Runnable waker = () -> {};

  /** No pools. */
  public PoolStore(final RamSpace ram, final int cpus, final Containment containment) {
    opener = new PoolOpener(ram, cpus, containment);
  }

  /** Sets whom pools wake when a map was refused. */
  public void waker(final Runnable value) {
    waker = value;
  }

  /**
   * Finds or opens the pool that a device shall use, and fills it as far as extents are to be had
   * without {@link #headroom}. The caller becomes one of its users, and {@link #serves}.
   *
   * @param yields the device's present pool, which gives half of its empty extents if it lies in
   *     the same region, or null
   * @throws IllegalStateException when the strategy does not open
   */
  public Pool acquire(final DeviceDma device, final Choice choice, final @Nullable Pool yields) {
    PoolEntry used = share(device, choice);
    if (used == null) {
      final PoolEntry made = opener.open(device, choice);
      made.early = yields != null && isLimited(made.source);
      used = add(device, made);
      if (used == made) {
        collect(made, yields);
      } else {
        made.pool.close(); // another device was faster
        end(made);
      }
    }
    fill(used, true, headroom(used, yields));
    return used.pool;
  }

  /** A pool serves from now on: it is granted what was left for the one before. */
  void serves(final @Nullable Pool pool) {
    final PoolEntry entry = entryOf(pool);
    if (entry != null && entry.early) {
      entry.early = false;
      fill(entry, true, 0);
    }
  }

  private synchronized @Nullable PoolEntry share(final DeviceDma device, final Choice choice) {
    if (choice.extents() == ExtentKind.DEVICE) {
      return null; // a region's extents flow from the old pool to the new one
    }
    final Object owner = PoolOpener.owner(device, choice);
    for (final PoolEntry entry : entries) {
      if (entry.owner == owner
          && entry.choice.equals(choice)
          && !entry.over
          && entry.pool.callable()
          && !entry.pool.quarantined()) {
        entry.pool.attach();
        return entry;
      }
    }
    return null;
  }

  /** Adds what was opened outside the monitor, unless another device was faster. */
  private synchronized PoolEntry add(final DeviceDma device, final PoolEntry made) {
    final PoolEntry shared = share(device, made.choice);
    if (shared != null) {
      return shared;
    }
    made.pool.attach();
    made.pool.waker(waker);
    entries.add(made);
    publish();
    return made;
  }

  /**
   * Makes room for a new pool: what is empty in those that nobody uses, and half of the yielding.
   */
  private void collect(final PoolEntry made, final @Nullable Pool yields) {
    for (final PoolEntry other : entries()) {
      if (other == made
          || made.source == null
          || other.source != made.source
          || other.pool.quarantined()) {
        continue;
      }
      if (other.pool.retired()) {
        // A strategy that comes back at once must not wait for the timer to find what it left.
        give(other.pool, made.source, takeRetired(other, Integer.MAX_VALUE));
      } else if (other.pool == yields && made.choice.extents() != ExtentKind.IOVA) {
        give(yields, made.source, yields.takeEmpty(spare(yields)));
      }
    }
  }

  /**
   * How many extents a pool in use can do without until the next one is published, and lends: half
   * of what it would have left if twice as much as now were in use, but one in any case.
   */
  private static int spare(final Pool pool) {
    final List<ExtentState> extents = pool.grantedNow();
    long slots = 0;
    for (final ExtentState extent : extents) {
      slots += extent.extent.slots();
    }
    final long idle = slots - 2 * pool.usedSlots();
    return slots == 0 ? 0 : (int) Math.max(1, extents.size() * idle / (2 * slots));
  }

  private static boolean isLimited(final @Nullable ExtentSource source) {
    return source != null && source.freeBytes() != Long.MAX_VALUE;
  }

  /**
   * What is to stay free until the next pool is published, and borrows: a pool in the same region
   * may take its extents one by one, and is to find as many as for as much again as is in use.
   */
  private long headroom(final PoolEntry made, final @Nullable Pool yields) {
    final PoolEntry old = entryOf(yields);
    if (yields == null
        || old == null
        || old == made
        || old.source != made.source
        || !isLimited(made.source)) {
      return 0;
    }
    long slots = 2 * yields.usedSlots();
    for (final ExtentState extent : yields.grantedNow()) {
      slots -= extent.extent.slots();
    }
    return Math.max(0, slots * Extent.SLOT_SIZE);
  }

  private synchronized List<PoolEntry> entries() {
    return List.copyOf(entries);
  }

  private static void end(final PoolEntry entry) {
    entry.ending.run();
  }

  /**
   * Grants a pool what it still wants and there is.
   *
   * @param wait whether to wait for another one who fills it just now
   * @param leave bytes that are to stay free, but for one set
   */
  private static void fill(final PoolEntry entry, final boolean wait, final long leave) {
    final ExtentSource source = entry.source;
    if (source == null || !entry.pool.callable()) {
      return;
    }
    if (wait) {
      entry.filling.lock(); // whoever holds it calls the strategy, at most until the deadline
    } else if (!entry.filling.tryLock()) {
      return;
    }
    boolean any = false;
    entry.pool.expect();
    try {
      if (!entry.over) {
        final List<ExtentState> taken = take(entry.pool, source, leave);
        any = !taken.isEmpty();
        if (any) {
          entry.pool.grantAll(taken).forEach(source::give);
        }
      }
    } finally {
      entry.pool.arrived(any);
      entry.filling.unlock();
    }
  }

  private static List<ExtentState> take(
      final Pool pool, final ExtentSource source, final long leave) {
    final ExtentPlan plan = pool.plan();
    final List<ExtentState> taken = new ArrayList<>();
    long bytes = plan.extentBytes();
    long granted = pool.grantedBytes();
    final long wanted =
        leave == 0
            ? plan.wantedBytes()
            : Math.min(
                plan.wantedBytes(),
                granted + Math.max(Extent.SET_SIZE, source.freeBytes() - leave));
    while (true) {
      // What is left to grant may be less than one of its extents: after a swap it gets what the
      // pool before gives up, in whatever pieces that comes; of whole sets, as strategies expect.
      bytes = Math.min(bytes, wanted - granted) & -Extent.SET_SIZE;
      if (bytes < Extent.SET_SIZE) {
        return taken;
      }
      final ExtentState extent = source.take(bytes, plan.limit());
      if (extent != null) {
        taken.add(extent);
        granted += bytes;
      } else {
        bytes /= 2; // smaller runs may still be there
      }
    }
  }

  /** Grants the pools in use what they want by now. */
  public void fill() {
    for (final PoolEntry entry : entries()) {
      if (!entry.pool.retired() && !entry.early) {
        fill(entry, false, 0);
      }
    }
  }

  /**
   * Stops calls of a pool's strategy for good, unless a device began to use it meanwhile.
   *
   * @param quarantine whether to set its extents aside
   */
  public synchronized boolean disableIfRetired(final Pool pool, final boolean quarantine) {
    if (!pool.disableIfRetired()) {
      return false;
    }
    if (quarantine) {
      pool.quarantine("drain deadline");
    }
    return true;
  }

  /**
   * Sets what is in use of a pool aside whose strategy has misbehaved, when nobody maps into it any
   * more; what is empty by the core's own count goes on.
   */
  void setAside(final Pool pool, final @Nullable Pool next, final String reason) {
    flow(pool, next);
    synchronized (this) {
      if (pool.disableIfRetired()) {
        pool.quarantine(reason);
      }
    }
  }

  /** A generation is no longer current in its pool. */
  public synchronized void release(final Generation generation) {
    final PoolEntry entry = entryOf(generation.pool);
    if (entry != null) {
      entry.pool.detach();
      entry.drained.add(generation);
    }
  }

  /**
   * A generation that drains is about to become current again: its pool is used again, and filled
   * as far as extents are to be had.
   *
   * @return false when that pool is not to be used any more; nothing was changed
   */
  public boolean takeAgain(final Generation generation) {
    final PoolEntry entry;
    synchronized (this) {
      entry = entryOf(generation.pool);
      if (entry == null || entry.over || !entry.pool.callable() || entry.pool.quarantined()) {
        return false;
      }
      entry.pool.attach();
      entry.drained.remove(generation);
    }
    fill(entry, true, 0);
    return true;
  }

  /**
   * Moves what is empty in a pool that nobody uses any more: to the pool that a device uses now if
   * it lies in the same memory, else back to where it came from.
   *
   * @return extents that changed owner
   */
  public int flow(final @Nullable Pool from, final @Nullable Pool to) {
    final PoolEntry old = entryOf(from);
    if (old == null || old.source == null || !old.pool.retired() || old.pool.quarantined()) {
      return 0;
    }
    final PoolEntry next = entryOf(to);
    final PoolEntry filled = next != null && next.source == old.source ? next : null;
    int moved = flow(old, filled, Integer.MAX_VALUE, true);
    // Step by step: what is on its way is nobody's, and whoever maps meanwhile needs the rest.
    final int step = Math.max(1, old.pool.grantedNow().size() / STEPS);
    int more;
    do {
      more = old.pool.anyEmpty() ? flow(old, filled, step, false) : 0;
      moved += more;
    } while (more != 0);
    return moved;
  }

  /**
   * Takes what is empty of a pool while nobody uses it. Who begins to use it fills it behind that,
   * and nothing is taken from then on.
   */
  private static List<ExtentState> takeRetired(final PoolEntry entry, final int most) {
    entry.filling.lock(); // bounded as each call of the strategy is
    try {
      return entry.pool.retired() ? entry.pool.takeEmpty(most) : List.of();
    } finally {
      entry.filling.unlock();
    }
  }

  /** Moves what the strategy gave back, or some of what is empty; maps wait for that. */
  private static int flow(
      final PoolEntry old,
      final @Nullable PoolEntry next,
      final int most,
      final boolean discarded) {
    int moved = 0;
    if (next != null) {
      next.pool.expect();
    }
    try {
      moved = flow(old, next, discarded ? old.pool.takeDiscarded() : takeRetired(old, most));
    } finally {
      if (next != null) {
        next.pool.arrived(moved != 0);
      }
    }
    return moved;
  }

  private static int flow(
      final PoolEntry old, final @Nullable PoolEntry next, final List<ExtentState> extents) {
    if (old.source != null && !extents.isEmpty()) {
      give(old.pool, old.source, extents);
      if (next != null) {
        fill(next, true, 0);
      }
    }
    return extents.size();
  }

  /**
   * Whether a generation has nothing any more that it could hand on or lend: no mapping, and no
   * empty extent in its pool if that is its alone. A loan that ended before would leave the
   * borrower without what is still on its way.
   */
  boolean isDrained(final Generation generation) {
    final Pool pool = generation.pool;
    return (pool == null || !pool.retired() || pool.quarantined() || !pool.anyEmpty())
        && generation.live() == 0;
  }

  /**
   * Disposes of extents that strategies gave back, and goes on with pools that nobody uses any
   * more: disposes of empty extents, ends pools without mappings. What a swap still looks after is
   * left alone.
   */
  public void sweep() {
    for (final PoolEntry entry : entries()) {
      final boolean left = forgetDrained(entry);
      if (entry.source != null) {
        give(entry.pool, entry.source, entry.pool.takeDiscarded());
      }
      if (!left) {
        continue; // the ticker grants what it wants
      }
      if (entry.source != null && (!entry.pool.quarantined() || isDrained(entry))) {
        give(entry.pool, entry.source, takeRetired(entry, Integer.MAX_VALUE));
      }
      if (claimEnd(entry)) {
        entry.pool.endStrategy(END_NS); // the ticker may be inside
        end(entry);
        synchronized (this) {
          entries.remove(entry);
          publish();
        }
      }
    }
  }

  /** Forgets generations without mappings; whether no swap looks after the pool any more. */
  private synchronized boolean forgetDrained(final PoolEntry entry) {
    entry.drained.removeIf(
        g -> {
          if (!g.settled() || g.live() != 0) {
            return false;
          }
          ended.add(g);
          return true;
        });
    return entry.pool.retired() && entry.drained.stream().allMatch(Generation::settled);
  }

  private synchronized boolean isDrained(final PoolEntry entry) {
    return entry.drained.isEmpty();
  }

  private synchronized boolean claimEnd(final PoolEntry entry) {
    if (entry.over
        || !entry.pool.retired()
        || !entry.drained.isEmpty()
        || !entry.filling.tryLock()) {
      return false;
    }
    try {
      entry.over = entry.pool.isBare(); // nobody grants it anything now
      return entry.over;
    } finally {
      entry.filling.unlock();
    }
  }

  /** Generations whose last mapping ended, since the last call. */
  public synchronized List<Generation> takeEnded() {
    final List<Generation> result = List.copyOf(ended);
    ended.clear();
    return result;
  }

  /** Disposes of extents; a strategy that works in a domain hears when its are gone, or lost. */
  private static void give(
      final Pool pool, final ExtentSource source, final List<ExtentState> extents) {
    final Set<ExtentState> lost = new HashSet<>();
    for (final ExtentState extent : extents) {
      if (!source.dispose(extent)) {
        lost.add(extent);
      }
    }
    if (pool.index() != null) {
      pool.disposed(extents, lost);
    }
  }

  /** What is set aside of pools. */
  public List<QuarantineInfo> quarantined() {
    final List<QuarantineInfo> result = new ArrayList<>();
    for (final Pool pool : pools()) {
      final String reason = pool.quarantineReason();
      final List<ExtentState> extents = reason == null ? List.of() : pool.setAside();
      if (reason != null && !extents.isEmpty()) {
        long bytes = 0;
        long live = 0;
        for (final ExtentState extent : extents) {
          bytes += extent.extent.size();
          live += extent.count(-1);
        }
        result.add(
            new QuarantineInfo(
                pool.name(),
                pool.strategy(),
                extents.size(),
                bytes,
                live,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - pool.quarantinedSinceNs()),
                reason));
      }
    }
    return result;
  }

  /** The service that a pool is an instance of, or null. */
  public @Nullable StrategyRef refOf(final @Nullable Pool pool) {
    final Choice choice = choiceOf(pool);
    return choice == null ? null : choice.ref();
  }

  /** What a pool was opened for, or null. */
  public @Nullable Choice choiceOf(final @Nullable Pool pool) {
    final PoolEntry entry = entryOf(pool);
    return entry == null ? null : entry.choice;
  }

  /** The pools of a service. */
  public synchronized List<Pool> poolsOf(final long serviceId) {
    final List<Pool> result = new ArrayList<>();
    for (final PoolEntry entry : entries) {
      if (entry.choice.ref().id() == serviceId) {
        result.add(entry.pool);
      }
    }
    return result;
  }

  /** Lets go of a service that is gone, as do its pools, which may have mappings for long. */
  public synchronized void forget(final long serviceId) {
    for (final PoolEntry entry : entries) {
      if (entry.choice.ref().id() == serviceId) {
        entry.choice = entry.choice.gone();
      }
    }
  }

  /** All pools; takes no lock, as the watchdog asks while one of them may hang. */
  public List<Pool> pools() {
    return pools;
  }

  private void publish() {
    final List<Pool> now = new ArrayList<>();
    for (final PoolEntry entry : entries) {
      now.add(entry.pool);
    }
    pools = List.copyOf(now);
  }

  /** What people see of the pools that bounce, active ones first. */
  public List<PoolInfo> infos() {
    final List<PoolInfo> result = new ArrayList<>();
    for (final Pool pool : pools()) {
      if (pool.extents() != null) {
        result.add(pool.info());
      }
    }
    result.sort(Comparator.comparing(info -> !info.state().equals("ACTIVE")));
    return result;
  }

  private synchronized @Nullable PoolEntry entryOf(final @Nullable Pool pool) {
    for (final PoolEntry entry : entries) {
      if (entry.pool == pool) {
        return entry;
      }
    }
    return null;
  }
}
