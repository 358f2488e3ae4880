package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one swap: ready → publish → grace → drain → end.
 *
 * <ol>
 *   <li><b>Ready.</b> The new pool is opened and filled; where it lies in the same region as the
 *       old one, the old one yields half of its empty extents.
 *   <li><b>Publish.</b> One volatile write; new maps go to the new generation. The old one drains
 *       and lends.
 *   <li><b>Grace.</b> Each stripe lock of the old pool is taken once: no map that saw the old
 *       generation is still on its way, every record of it is visible.
 *   <li><b>Drain.</b> Old mappings die by their own unmaps. Emptied extents flow on.
 *   <li><b>End.</b> The loan ends, another grace waits for borrowers. When mappings are left at the
 *       deadline, the policy says what becomes of their extents; the core finishes them either way.
 * </ol>
 *
 * <p>What changes the generations of a device happens under its structure lock, in steps that are
 * bounded by the watchdog; a drain holds no lock. A strategy that goes away meanwhile ({@link
 * #abandon}) changes the current generation under the same lock; the drain goes on without it.
 */
final class Swapper {
  private static final Logger LOG = LoggerFactory.getLogger(Swapper.class);
  private static final long FIRST_PAUSE_NS = 50_000;
  private static final long LONGEST_PAUSE_NS = 1_000_000;

  private final PoolStore store;
  private final Domains domains;
  private final Timing timing;
  private final SwapWatch watch;

  Swapper(
      final PoolStore store, final Domains domains, final Timing timing, final SwapWatch watch) {
    this.watch = watch;
    this.store = store;
    this.domains = domains;
    this.timing = timing;
  }

  /** Runs a swap to its end on the caller's thread. */
  SwapReport run(final Transition swap, final Settings settings) {
    final long watchdogNs = TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs());
    begin(swap, watchdogNs);
    swap.state = "DRAINING";
    watch.draining(SwapStep.of(swap));
    final boolean drained = drain(swap);
    return end(swap, drained, watchdogNs);
  }

  private void begin(final Transition swap, final long watchdogNs) {
    final DeviceDma device = swap.device;
    device.structure().lock();
    try {
      if (device.isClosed()) {
        // Whoever asked may have looked before the device was closed; it must not get a pool again.
        throw new IllegalStateException(device.name() + " is closed");
      }
      final Generation old = device.mapper().current();
      swap.from = old;
      final Generation next = enterAndPrepare(device, swap.choice, old, watchdogNs);
      swap.to = next;
      swap.readyNs = timing.nanoTime() - swap.startNs;
      swap.failedBefore = failed(device);
      swap.lentBefore = lent(old);
      next.lender(mayLend(device, old, next) ? old : null);
      publish(device, old, next);
      swap.publishedNs = timing.nanoTime();
      swap.publishNs = swap.publishedNs - swap.startNs;
      swap.state = "GRACE";
      watch.published(SwapStep.of(swap));
      if (old.pool != null) {
        old.pool.grace(watchdogNs);
      }
      swap.graceNs = timing.nanoTime() - swap.publishedNs;
      swap.liveAtPublish = old.live();
      settleDomain(device, next);
    } finally {
      device.structure().unlock();
    }
  }

  /** Whether what the old generation places is still legal for the device, and is bounced. */
  private boolean mayLend(final DeviceDma device, final Generation old, final Generation next) {
    final Pool pool = old.pool;
    if (pool == null
        || !pool.callable()
        || pool.extents() == null
        || pool.extents() == ExtentKind.IOVA
        || next.extents() == ExtentKind.IOVA) {
      return false;
    }
    final Choice choice = store.choiceOf(pool);
    return choice != null
        && choice.restricted() == device.restricted()
        && (pool.extents() == ExtentKind.DEVICE || !device.negotiation().swiotlb());
  }

  /**
   * Makes the next generation ready, with the domain that it needs.
   *
   * <p>A device that enters a domain has mappings by bus address, and goes on making some until the
   * next generation is published. So from now on each map opens a window before it returns; a grace
   * makes the records of all that do not yet visible; windows are opened for those and for coherent
   * memory; then the device is attached. Nothing of this is waited for inside the grace. One that
   * leaves for strategies without addresses of their own first has all of RAM opened.
   */
  private Generation enterAndPrepare(
      final DeviceDma device,
      final @Nullable Choice choice,
      final Generation old,
      final long watchdogNs) {
    final DmaDomain before = device.mapper().domain();
    if (choice == null || choice.extents() != ExtentKind.IOVA) {
      final boolean wasOpen = before != null && before.windows().isOpen(device.name());
      openForLeaving(device, choice, before);
      try {
        return prepare(device, choice, old.pool);
      } catch (final IllegalStateException e) {
        if (before != null && !wasOpen) {
          domains.close(device, before); // it stays where it is, behind the IOMMU
        }
        throw e;
      }
    }
    final DmaDomain domain = domains.toEnter(device);
    if (domain == before) {
      return prepare(device, choice, old.pool);
    }
    try {
      final Generation next = prepare(device, choice, old.pool);
      try {
        enter(device, domain, old, watchdogNs);
      } catch (final IllegalStateException e) {
        discard(device, next);
        throw e;
      }
      if (before != null) {
        before.devices().remove(device.name()); // attaching it elsewhere has detached it
        before.windows().close(device.name());
      }
      return next;
    } catch (final IllegalStateException e) {
      device.mapper().covering(false);
      device.mapper().domain(before);
      throw e;
    }
  }

  private void enter(
      final DeviceDma device, final DmaDomain domain, final Generation old, final long watchdogNs) {
    device.mapper().covering(true);
    if (old.pool != null) {
      old.pool.grace(watchdogNs);
    }
    domains.attach(device, domain);
  }

  /** Before maps go to a strategy by bus address, all of RAM must be within reach. */
  private void openForLeaving(
      final DeviceDma device, final @Nullable Choice choice, final @Nullable DmaDomain domain) {
    if (choice == null) {
      return;
    }
    if (domain != null) {
      Domains.open(device, domain);
    } else if (domains.needsDomain(device)) {
      final DmaDomain made = domains.toEnter(device);
      try {
        Domains.open(device, made);
        domains.attach(device, made);
      } catch (final IllegalStateException e) {
        made.windows().close(device.name());
        device.mapper().domain(null);
        throw e;
      }
    }
  }

  /** A generation that was made in vain. */
  private void discard(final DeviceDma device, final Generation next) {
    device.end(next);
    if (next.pool != null) {
      next.pool.detach();
    }
  }

  /**
   * Behind the grace: windows are opened no more, and those that nothing needs may close. A map
   * that made its record after the device was attached may only now look whether it is to open a
   * window: so they are opened for all records once more before it is told that it is not.
   */
  private void settleDomain(final DeviceDma device, final Generation next) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null && device.mapper().covering()) {
      domains.cover(device, domain);
    }
    device.mapper().covering(false);
    if (domain == null || next.pool == null) {
      return;
    }
    if (next.extents() == ExtentKind.IOVA) {
      domain.flushes().change(next.pool.flushPlan());
      domains.close(device, domain);
    }
  }

  /** Makes the next generation completely ready. Under the structure lock. */
  Generation prepare(
      final DeviceDma device, final @Nullable Choice choice, final @Nullable Pool yields) {
    final int number = device.nextGeneration();
    if (choice == null) {
      return new Generation(device.number(), number, null, null, 0);
    }
    final Pool pool = store.acquire(device, choice, yields);
    final long most;
    try {
      most = pool.maxMappingSize(device.spec().minAlignMask());
    } catch (final IllegalStateException e) {
      pool.detach();
      throw new NotReadyException(choice.ref(), e.getMessage(), e);
    }
    final Generation next =
        new Generation(device.number(), number, choice.ref().name(), pool, most);
    device.begin(next);
    return next;
  }

  private void publish(final DeviceDma device, final Generation old, final Generation next) {
    next.state(Generation.State.CURRENT);
    old.state(Generation.State.DRAINING);
    device.mapper().publish(next);
    store.release(old);
  }

  private boolean drain(final Transition swap) {
    final Generation old = Objects.requireNonNull(swap.from);
    final long deadline = swap.publishedNs + TimeUnit.MILLISECONDS.toNanos(swap.drainMs);
    long pause = FIRST_PAUSE_NS;
    while (true) {
      // To whoever is current: the one that this swap brought in may have gone away again.
      swap.moved += store.flow(old.pool, swap.device.mapper().current().pool);
      sweepDomain(swap.device);
      if (old.live() == 0) {
        return true;
      }
      if (timing.nanoTime() - deadline >= 0 || Thread.currentThread().isInterrupted()) {
        return false; // interrupted: the core stops, and would not really pause any more
      }
      timing.pause(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_NS);
    }
  }

  private void sweepDomain(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null && domain.windows().mayClose()) {
      domains.sweep(domain);
    }
  }

  private SwapReport end(final Transition swap, final boolean emptied, final long watchdogNs) {
    final DeviceDma device = swap.device;
    final Generation old = Objects.requireNonNull(swap.from);
    final Generation next = Objects.requireNonNull(swap.to);
    final String outcome;
    final long live;
    device.structure().lock();
    try {
      next.lender(null);
      old.state(emptied ? Generation.State.CLOSED : Generation.State.ADOPTED);
      if (old.pool != null) {
        old.pool.grace(watchdogNs); // for those who borrow
      }
      live = old.live();
      outcome = live == 0 ? "DRAINED" : leave(old, swap.policy, watchdogNs);
      swap.moved += store.flow(old.pool, device.mapper().current().pool);
      flush(device);
    } finally {
      device.structure().unlock();
    }
    final long drainNs = timing.nanoTime() - swap.publishedNs;
    if (live != 0) {
      LOG.warn(
          "{}: {} mappings of {} outlived the drain deadline of {} ms: {}",
          device.name(),
          live,
          swap.fromName(),
          swap.drainMs,
          swap.policy);
    }
    return new SwapReport(
        device.name(),
        old.strategy,
        old.extents(),
        next.strategy,
        next.extents(),
        old.number,
        next.number,
        outcome,
        swap.publishNs / 1e3,
        swap.graceNs / 1e3,
        drainNs / 1e6,
        swap.liveAtPublish,
        live,
        swap.moved,
        lent(old) - swap.lentBefore,
        failed(device) - swap.failedBefore,
        swap.cause,
        swap.atMs,
        swap.readyNs / 1e3,
        0,
        null);
  }

  /** A strategy that leaves leaves no invalidation undone, and no window that nothing needs. */
  private void flush(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null) {
      domain.flushes().flushAll();
      sweepDomain(device);
    }
  }

  /** Applies the policy to what is left. Under the structure lock. */
  private String leave(final Generation old, final SwapPolicy policy, final long watchdogNs) {
    final Pool pool = old.pool;
    old.state(Generation.State.ADOPTED);
    if (pool != null && store.disableIfRetired(pool, policy == SwapPolicy.QUARANTINE)) {
      // Nobody else uses it: from here on the core needs no code of it.
      pool.endStrategy(watchdogNs);
    }
    return policy == SwapPolicy.QUARANTINE ? "QUARANTINED" : "ADOPTED";
  }

  /**
   * A strategy's service is going away, or it has misbehaved: puts another in its place wherever it
   * is current, and lets nobody into its code again. Returns when nobody is inside, or the stripes
   * that someone hangs in are abandoned.
   *
   * @return what was done, or null when the device did not use it
   */
  @Nullable SwapReport abandon(
      final DeviceDma device,
      final Leaving leaving,
      final @Nullable Choice replacement,
      final Settings settings) {
    final long watchdogNs = TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs());
    final long start = timing.nanoTime();
    device.structure().lock();
    try {
      final Generation old = device.mapper().current();
      final StrategyRef ref = store.refOf(old.pool);
      if (ref == null || old.pool == null || !leaving.isOf(old.pool, ref)) {
        return null;
      }
      final Generation next = replacement(device, replacement, old, watchdogNs);
      final long ready = timing.nanoTime();
      final long failedBefore = failed(device);
      publish(device, old, next);
      final long published = timing.nanoTime();
      old.state(Generation.State.ADOPTED);
      old.pool.grace(watchdogNs);
      final long grace = timing.nanoTime() - published;
      settleDomain(device, next);
      flush(device);
      final long live = old.live();
      return new SwapReport(
          device.name(),
          old.strategy,
          old.extents(),
          next.strategy,
          next.extents(),
          old.number,
          next.number,
          live == 0 ? "DRAINED" : "ADOPTED",
          (published - start) / 1e3,
          grace / 1e3,
          (timing.nanoTime() - published) / 1e6,
          live,
          live,
          0,
          0,
          failed(device) - failedBefore,
          leaving.cause(),
          timing.currentTimeMillis(),
          (ready - start) / 1e3,
          0,
          leaving.note());
    } finally {
      device.structure().unlock();
    }
  }

  private Generation replacement(
      final DeviceDma device,
      final @Nullable Choice choice,
      final Generation old,
      final long watchdogNs) {
    try {
      return enterAndPrepare(device, choice, old, watchdogNs);
    } catch (final IllegalStateException e) {
      LOG.warn("{}: {}; it has no strategy for now", device.name(), e.getMessage());
      return prepare(device, null, null);
    }
  }

  private static long failed(final DeviceDma device) {
    return device.mapper().failures().total();
  }

  private static long lent(final Generation generation) {
    long sum = 0;
    for (final var cell : generation.cells()) {
      sum += cell.lent;
    }
    return sum;
  }
}
