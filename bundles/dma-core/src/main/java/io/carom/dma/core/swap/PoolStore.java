package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.domain.PoolLeases;
import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.memory.RamSpace;
import io.carom.dma.core.memory.RestrictedSpace;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.ExtentPlan;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The pools: opens them, fills them with extents, moves extents from one that is given up to the
 * one that follows it, and disposes of what nobody wants. A pool on RAM is shared by all devices of
 * its strategy unless that wants one for each, one on a region is the device's own, one on the
 * memory of a restricted pool is shared by the devices that are bound to it.
 *
 * <p>All changes of who owns an extent happen here, under this object's monitor; stripe locks are
 * taken inside it, never the other way round. Nothing of a strategy but opening, granting and
 * retracting runs under the monitor.
 */
public final class PoolStore {
  private static final long END_NS = 100_000_000;

  private final RamSpace ram;
  private final int cpus;
  private final List<Entry> entries = new ArrayList<>();
  private final List<Generation> ended = new ArrayList<>();
  private volatile List<Pool> pools = List.of();
  private volatile Runnable waker = () -> {};

  /** No pools. */
  public PoolStore(final RamSpace ram, final int cpus) {
    this.ram = ram;
    this.cpus = cpus;
  }

  /** Sets whom pools wake when a map was refused. */
  public void waker(final Runnable value) {
    waker = value;
  }

  /** A pool and where it comes from. */
  private static final class Entry {
    private final Pool pool;
    private final Choice choice;
    private final @Nullable Object owner;
    private final @Nullable ExtentSource source;
    private final @Nullable Runnable ending;
    private final List<Generation> drained = new ArrayList<>();

    Entry(
        final Pool pool,
        final Choice choice,
        final @Nullable Object owner,
        final @Nullable ExtentSource source,
        final @Nullable Runnable ending) {
      this.pool = pool;
      this.choice = choice;
      this.owner = owner;
      this.source = source;
      this.ending = ending;
    }
  }

  /**
   * Finds or opens the pool that a device shall use, and fills it as far as extents are to be had.
   * The caller becomes one of its users.
   *
   * @param yields the device's present pool, which gives half of its empty extents if it lies in
   *     the same region, or null
   * @throws IllegalStateException when the strategy does not open
   */
  public Pool acquire(final DeviceDma device, final Choice choice, final @Nullable Pool yields) {
    final Pool shared = acquireShared(device, choice);
    return shared != null ? shared : add(device, open(device, choice), yields);
  }

  /**
   * The device or domain that a pool would belong to, or null when all devices of the choice share
   * it. The devices of an IOMMU domain share what is there; the memory of a restricted pool is one
   * pool, whatever the strategy prefers: it is shared by those who are bound to it.
   */
  private static @Nullable Object owner(final DeviceDma device, final Choice choice) {
    if (choice.extents() == ExtentKind.IOVA) {
      return device.mapper().domain();
    }
    final boolean shared =
        choice.extents() != ExtentKind.DEVICE
            && (choice.extents() != ExtentKind.RAM
                || choice.restricted() != null
                || !choice.ref().strategy().perDevice());
    return shared ? null : device;
  }

  private synchronized @Nullable Pool acquireShared(final DeviceDma device, final Choice choice) {
    if (choice.extents() == ExtentKind.DEVICE) {
      return null; // a region's extents flow from the old pool to the new one
    }
    final Object owner = owner(device, choice);
    for (final Entry entry : entries) {
      if (entry.owner == owner
          && entry.choice.equals(choice)
          && entry.pool.callable()
          && !entry.pool.quarantined()) {
        entry.pool.attach();
        fill(entry);
        return entry.pool;
      }
    }
    return null;
  }

  /** Adds what was opened outside the monitor, unless another device was faster. */
  private synchronized Pool add(
      final DeviceDma device, final Entry made, final @Nullable Pool yields) {
    final Pool shared = acquireShared(device, made.choice);
    if (shared != null) {
      made.pool.close();
      if (made.ending != null) {
        made.ending.run();
      }
      return shared;
    }
    made.pool.attach();
    made.pool.waker(waker);
    entries.add(made);
    publish();
    if (made.source != null) {
      for (final Entry other : entries) {
        if (other.source != made.source || other.pool.quarantined()) {
          continue;
        }
        if (other.pool.retired()) {
          // A strategy that comes back at once must not wait for the timer to find what it left.
          give(other.pool, made.source, other.pool.takeEmpty(Integer.MAX_VALUE));
        } else if (other.pool == yields && made.choice.extents() != ExtentKind.IOVA) {
          final int extents = yields.grantedNow().size();
          give(yields, made.source, yields.takeEmpty((extents + 1) / 2));
        }
      }
    }
    fill(made);
    return made.pool;
  }

  private Entry open(final DeviceDma device, final Choice choice) {
    final ExtentKind kind = choice.extents();
    final RestrictedSpace restricted = choice.restricted();
    final Object owner = owner(device, choice);
    final String ownerName = owner == device ? device.name() : null;
    final DmaDomain domain = kind == ExtentKind.IOVA ? device.mapper().domain() : null;
    if (kind == ExtentKind.IOVA && domain == null) {
      throw new IllegalStateException(device.name() + " is in no IOMMU domain");
    }
    final ExtentSource source =
        kind == null
            ? null
            : domain != null
                ? domain.extents()
                : kind == ExtentKind.DEVICE
                    ? device.region()
                    : restricted != null ? restricted.sets() : ram;
    final String place =
        domain != null
            ? "domain" + domain.guest().id()
            : restricted != null ? restricted.name() : ownerName;
    final String name = choice.ref().name() + (place == null ? "" : "@" + place);
    final PoolLeases leases = domain == null ? null : domain.leases();
    try {
      final StrategyInstance instance =
          choice.ref().strategy().open(spec(ownerName, choice, source, leases));
      final Pool pool =
          new Pool(
              name,
              choice.ref().name(),
              kind,
              ownerName,
              instance,
              source,
              domain == null ? null : domain.index());
      return new Entry(
          pool,
          choice,
          owner,
          source,
          domain == null || leases == null ? null : () -> domain.end(leases));
    } catch (final RuntimeException | LinkageError e) {
      if (domain != null && leases != null) {
        domain.end(leases);
      }
      throw new IllegalStateException(
          "strategy " + choice.ref().name() + " is not ready: " + e.getMessage(), e);
    }
  }

  private PoolSpec spec(
      final @Nullable String owner,
      final Choice choice,
      final @Nullable ExtentSource source,
      final @Nullable PoolLeases leases) {
    if (leases != null && source != null) {
      return new PoolSpec(owner, choice.extents(), source.capacity(), cpus, 0, 0, false, leases);
    }
    final long available = source == null ? 0 : source == ram ? ram.lowBytes() : source.capacity();
    // A restricted pool takes the whole of its memory, in one area as the kernel's.
    return choice.restricted() != null
        ? new PoolSpec(
            owner, choice.extents(), available, cpus, available >> Extent.SLOT_SHIFT, 1, true)
        : new PoolSpec(
            owner, choice.extents(), available, cpus, choice.slots(), choice.areas(), false);
  }

  /** Grants a pool what it still wants and there is. */
  private static void fill(final Entry entry) {
    if (entry.source == null || !entry.pool.callable()) {
      return;
    }
    final ExtentPlan plan = entry.pool.plan();
    long bytes = plan.extentBytes();
    long granted = entry.pool.grantedBytes();
    while (granted + bytes <= plan.wantedBytes()) {
      final ExtentState extent = entry.source.take(bytes, plan.limit());
      if (extent == null) {
        bytes /= 2; // smaller runs may still be there
        if (bytes < Extent.SET_SIZE) {
          return;
        }
        continue;
      }
      if (!entry.pool.grant(extent)) {
        entry.source.give(extent);
        return;
      }
      granted += bytes;
    }
  }

  /** Grants the pools in use what they want by now. */
  public synchronized void fill() {
    for (final Entry entry : entries) {
      if (!entry.pool.retired()) {
        fill(entry);
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
      pool.quarantine();
    }
    return true;
  }

  /** A generation is no longer current in its pool. */
  public synchronized void release(final Generation generation) {
    final Entry entry = entryOf(generation.pool);
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
  public synchronized boolean takeAgain(final Generation generation) {
    final Entry entry = entryOf(generation.pool);
    if (entry == null || !entry.pool.callable() || entry.pool.quarantined()) {
      return false;
    }
    entry.pool.attach();
    entry.drained.remove(generation);
    fill(entry);
    return true;
  }

  /**
   * Moves what is empty in a pool that nobody uses any more: to the pool that a device uses now if
   * it lies in the same memory, else back to where it came from.
   *
   * @return extents that changed owner
   */
  public synchronized int flow(final @Nullable Pool from, final @Nullable Pool to) {
    final Entry old = entryOf(from);
    if (old == null || old.source == null || !old.pool.retired() || old.pool.quarantined()) {
      return 0;
    }
    final List<ExtentState> empty = new ArrayList<>(old.pool.takeEmpty(Integer.MAX_VALUE));
    empty.addAll(old.pool.takeDiscarded());
    give(old.pool, old.source, empty);
    final Entry next = entryOf(to);
    if (next != null && next.source == old.source && !empty.isEmpty()) {
      fill(next);
    }
    return empty.size();
  }

  /**
   * Disposes of extents that strategies gave back, and goes on with pools that nobody uses any
   * more: disposes of empty extents, ends pools without mappings. What a swap still looks after is
   * left alone.
   */
  public synchronized void sweep() {
    for (final Entry entry : List.copyOf(entries)) {
      entry.drained.removeIf(
          g -> {
            if (!g.settled() || g.live() != 0) {
              return false;
            }
            ended.add(g);
            return true;
          });
      if (entry.source != null) {
        give(entry.pool, entry.source, entry.pool.takeDiscarded());
      }
      if (!entry.pool.retired()) {
        continue; // the ticker grants what it wants
      }
      if (entry.drained.stream().anyMatch(g -> !g.settled())) {
        continue;
      }
      if (entry.source != null && (!entry.pool.quarantined() || entry.drained.isEmpty())) {
        give(entry.pool, entry.source, entry.pool.takeEmpty(Integer.MAX_VALUE));
      }
      if (entry.drained.isEmpty() && entry.pool.isBare()) {
        entry.pool.endStrategy(END_NS); // the ticker may be inside
        if (entry.ending != null) {
          entry.ending.run();
        }
        entries.remove(entry);
        publish();
      }
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
    for (final ExtentState extent : extents) {
      final boolean gone = source.dispose(extent);
      if (pool.index() != null) {
        pool.disposed(extent, gone);
      }
    }
  }

  /** The service that a pool is an instance of, or null. */
  public @Nullable StrategyRef refOf(final @Nullable Pool pool) {
    final Choice choice = choiceOf(pool);
    return choice == null ? null : choice.ref();
  }

  /** What a pool was opened for, or null. */
  public synchronized @Nullable Choice choiceOf(final @Nullable Pool pool) {
    final Entry entry = entryOf(pool);
    return entry == null ? null : entry.choice;
  }

  /** The pools of a service. */
  public synchronized List<Pool> poolsOf(final long serviceId) {
    final List<Pool> result = new ArrayList<>();
    for (final Entry entry : entries) {
      if (entry.choice.ref().id() == serviceId) {
        result.add(entry.pool);
      }
    }
    return result;
  }

  /** All pools; takes no lock, as the watchdog asks while one of them may hang. */
  public List<Pool> pools() {
    return pools;
  }

  private void publish() {
    final List<Pool> now = new ArrayList<>();
    for (final Entry entry : entries) {
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

  private @Nullable Entry entryOf(final @Nullable Pool pool) {
    for (final Entry entry : entries) {
      if (entry.pool == pool) {
        return entry;
      }
    }
    return null;
  }
}
