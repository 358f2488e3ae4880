package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.memory.RestrictedPools;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Misconduct;
import io.carom.dma.core.pool.Pool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that each device has the strategy that it should have: the one that a user asked for
 * or the configured one, while it is absent the best that is legal, or none. One transition per
 * device at a time; what was wished meanwhile is looked at when it ends.
 */
public final class SwapControl {
  private static final Logger LOG = LoggerFactory.getLogger(SwapControl.class);
  private static final int HISTORY = 256;

  /** How long a device that was negotiated waits for the strategy that it should have. */
  private static final long SETTLE_S = 10;

  private final Registry registry;
  private final PoolStore store;
  private final RestrictedPools restricted;
  private final Domains domains;
  private final Swapper swapper;
  private final Replacer replacer;
  private final Timing timing;
  private final SwapWatches watches = new SwapWatches();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("dma-swap-", 0).factory());
  private final Map<DeviceDma, Transition> transitions = new HashMap<>();
  private final Map<DeviceDma, Target> wanted = new HashMap<>();
  private final Bans bans = new Bans();
  private final ArrayDeque<SwapReport> history = new ArrayDeque<>();
  private volatile Settings settings;
  private boolean halted; // guarded by the monitor

  /** Controls swaps between the strategies of a registry. */
  public SwapControl(
      final Registry registry,
      final PoolStore store,
      final RestrictedPools restricted,
      final Domains domains,
      final Timing timing,
      final Settings settings) {
    this.registry = registry;
    this.store = store;
    this.restricted = restricted;
    this.domains = domains;
    this.timing = timing;
    this.settings = settings;
    final Readiness readiness = new Readiness(store, domains);
    swapper =
        new Swapper(
            registry,
            store,
            readiness,
            new Fencing(store, timing),
            timing,
            this::published,
            watches);
    replacer = new Replacer(store, readiness, timing);
    domains.settings(settings.iommu());
    parameter(SwiotlbParameter.NONE, settings.swiotlb());
  }

  /** Who is told of swaps. */
  public SwapWatches watches() {
    return watches;
  }

  /** What is configured now. */
  public Settings settings() {
    return settings;
  }

  /**
   * Changes the configuration; devices follow when they are reconciled.
   *
   * @throws IllegalArgumentException when there is not enough low RAM for the restricted pools;
   *     nothing was changed
   */
  public void settings(final Settings next) {
    restricted.apply(next.restricted());
    parameter(settings.swiotlb(), next.swiotlb());
    domains.settings(next.iommu());
    settings = next;
  }

  private void parameter(final SwiotlbParameter before, final SwiotlbParameter next) {
    for (final String line : next.lines(before)) {
      LOG.info("{}", line);
    }
    registry.parameter(next);
  }

  /** As {@link io.carom.dma.DmaControl#use}. */
  public CompletionStage<SwapReport> use(
      final DeviceDma device, final String strategy, final SwapOptions options) {
    final Target target = Target.of(strategy, options.extents());
    final Choice choice = registry.choose(device, target);
    return start(device, choice, target, options, "requested").done.minimalCompletionStage();
  }

  /** As {@link io.carom.dma.DmaControl#cancel}; what is wanted is what it was before. */
  public CompletionStage<SwapReport> cancel(final DeviceDma device) {
    final Transition swap;
    synchronized (this) {
      swap = transitions.get(device);
    }
    if (swap == null) {
      throw new IllegalStateException("no swap of " + device.name() + " is going on");
    }
    swapper.cancel(swap, settings, () -> unwish(swap));
    return swap.done.minimalCompletionStage();
  }

  /**
   * What is wanted becomes what it was before a swap that is taken back. When the core itself
   * decided on it, as what is configured came or changed, what was in use is wanted from now on:
   * else the core would decide so again.
   */
  private synchronized void unwish(final Transition swap) {
    final Generation from = swap.from;
    if (swap.wish != null) {
      wish(swap.device, swap.wantedBefore);
    } else if (from != null && from.strategy != null) {
      wish(swap.device, new Target(from.strategy, from.extents()));
    }
  }

  private void wish(final DeviceDma device, final @Nullable Target target) {
    if (target == null) {
      wanted.remove(device);
    } else {
      wanted.put(device, target);
    }
  }

  /**
   * Starts a transition.
   *
   * @param wish what a user wants from now on, or null when the core itself decided
   */
  private Transition start(
      final DeviceDma device,
      final @Nullable Choice choice,
      final @Nullable Target wish,
      final SwapOptions options,
      final String cause) {
    final Settings now = settings;
    final Transition swap =
        new Transition(
            device,
            choice,
            wish,
            options.drainMs() == null ? now.drainMs() : options.drainMs(),
            options.policy() == null ? now.policy() : options.policy(),
            timing.nanoTime(),
            cause,
            timing.currentTimeMillis());
    synchronized (this) {
      if (halted) {
        throw new IllegalStateException(
            "no swap of " + device.name() + " any more, the DMA core has stopped");
      }
      final Transition running = transitions.get(device);
      if (running != null) {
        final Generation from = running.from;
        throw new IllegalStateException(
            "a swap of "
                + device.name()
                + " from "
                + running.fromName()
                + " to "
                + running.toName()
                + " is going on ("
                + running.state
                + ", "
                + (from == null ? 0 : from.live())
                + " old mappings); wait for its end, see dma:transition and dma:cancel");
      }
      transitions.put(device, swap);
      if (wish != null) {
        // Before it can end: its end looks at what is wanted, and at what it does without.
        swap.wantedBefore = wanted.put(device, wish);
        if (choice != null) {
          bans.lift(device, choice.ref());
        }
      }
    }
    try {
      threads.execute(() -> run(swap));
    } catch (final RejectedExecutionException e) {
      synchronized (this) {
        transitions.remove(device);
        if (wish != null) {
          wish(device, swap.wantedBefore);
        }
      }
      throw new IllegalStateException(
          "no swap of " + device.name() + " any more, the DMA core has stopped", e);
    }
    return swap;
  }

  private void run(final Transition swap) {
    SwapReport report = null;
    Throwable failure = null;
    try {
      watches.started(SwapStep.of(swap));
      report = swapper.run(swap, settings);
    } catch (final RuntimeException | Error e) {
      failure = e;
    }
    if (failure instanceof final NotReadyException e) {
      // Else it would be tried again and again. Before anybody hears of it: a user who asks again
      // lifts the ban.
      bans.ban(swap.device, e.ref());
    }
    synchronized (this) {
      transitions.remove(swap.device);
      if (report != null) {
        remember(report);
      } else if (swap.wish != null && swap.drain() == null && !swap.device.isClosed()) {
        wish(swap.device, swap.wantedBefore); // it never came about, so it is not wanted for ever
      }
    }
    try {
      tell(swap, report, failure);
    } finally { // whoever asked hears of it, whatever those who watch do
      if (report != null) {
        swap.done.complete(report);
      } else if (failure != null) {
        swap.done.completeExceptionally(failure);
      }
    }
    // Not the same again, which would fail again: that is left to what changes next.
    if (failure == null || !Objects.equals(desired(swap.device), swap.choice)) {
      reconcile(swap.device, "configured");
    }
  }

  private void tell(
      final Transition swap, final @Nullable SwapReport report, final @Nullable Throwable failure) {
    if (report != null) {
      LOG.info("{}", report);
      watches.finished(report);
    } else if (failure != null) {
      watches.failed(SwapStep.of(swap), String.valueOf(failure.getMessage()));
      if (swap.device.isClosed()) {
        LOG.debug("{} went before its swap", swap.device.name()); // nobody waits for it any more
      } else {
        LOG.warn("swap of {} failed: {}", swap.device.name(), failure.getMessage());
      }
    }
  }

  /** A strategy was left at once: that is kept, and told. */
  private void left(final SwapReport report) {
    synchronized (this) {
      remember(report);
    }
    watches.finished(report);
  }

  private void remember(final SwapReport report) {
    if (history.size() == HISTORY) {
      history.removeFirst();
    }
    history.addLast(report);
  }

  /**
   * Gives a device the strategy that it should have, if it has not; does not wait for it.
   *
   * @param cause why, as in {@link SwapReport#cause}
   */
  public void reconcile(final DeviceDma device, final String cause) {
    final Pool pool = device.mapper().current().pool;
    if (!device.ready() || (pool != null && pool.misconduct().verdict() != null)) {
      return; // one that has misbehaved is replaced first, and that is reported as it is
    }
    startDesired(device, cause);
  }

  private void startDesired(final DeviceDma device, final String cause) {
    final Choice choice = desired(device);
    synchronized (this) {
      if (transitions.containsKey(device) || same(device, choice)) {
        return;
      }
    }
    try {
      start(device, choice, null, SwapOptions.DEFAULTS, cause);
    } catch (final IllegalStateException e) {
      LOG.debug("{}", e.getMessage()); // another one was faster; its end looks again
    }
  }

  /** As {@link #reconcile}, and waits until maps of the device go to what it should have. */
  public void settle(final DeviceDma device) {
    final long deadline = timing.nanoTime() + TimeUnit.SECONDS.toNanos(SETTLE_S);
    while (timing.nanoTime() - deadline < 0) {
      if (same(device, desired(device)) && !busy(device)) {
        return;
      }
      reconcile(device, "configured");
      timing.pause(100_000);
    }
    LOG.warn("{}: no swap to {} within {} s", device.name(), desired(device), SETTLE_S);
  }

  /** Whether a transition is going on that does not merely wait for old mappings. */
  private boolean busy(final DeviceDma device) {
    final Transition swap;
    synchronized (this) {
      swap = transitions.get(device);
    }
    if (swap == null || swap.state.equals("REVOKING")) {
      return false; // a driver that fences its device negotiates meanwhile, and is waited for
    }
    final Generation leaving = swap.lookedAfter();
    return leaving == null || leaving.live() == 0;
  }

  private @Nullable Choice desired(final DeviceDma device) {
    final Settings now = settings;
    final Target wish;
    synchronized (this) {
      wish = wanted.get(device);
    }
    final Choice choice =
        desired(device, wish == null ? Target.of(now.strategy(), null) : wish, now);
    return wish == null && now.swiotlb().dynamic() ? dynamic(device, choice, now) : choice;
  }

  /** What takes the place of a configured fixed pool in RAM under {@code swiotlb=dynamic}. */
  private @Nullable Choice dynamic(
      final DeviceDma device, final @Nullable Choice choice, final Settings now) {
    if (choice == null
        || !choice.ref().name().equals(Target.DEFAULT_SWIOTLB)
        || choice.extents() != ExtentKind.RAM
        || choice.restricted() != null) {
      return choice;
    }
    if (isAbsent(device, Target.DYNAMIC_SWIOTLB)) {
      return now.fallback() ? choice : null;
    }
    try {
      return registry.choose(device, new Target(Target.DYNAMIC_SWIOTLB, ExtentKind.RAM));
    } catch (final IllegalArgumentException e) {
      return choice; // not legal for this device
    }
  }

  private @Nullable Choice desired(
      final DeviceDma device, final Target target, final Settings now) {
    if (!isAbsent(device, target.strategy())) {
      try {
        return registry.choose(device, target);
      } catch (final IllegalArgumentException e) {
        // not legal for this device: the best that is
        return registry.best(device, bans.of(device));
      }
    }
    return now.fallback() ? registry.best(device, bans.of(device)) : null;
  }

  /** Whether there is no such strategy, or the device does without it. */
  private boolean isAbsent(final DeviceDma device, final String strategy) {
    final StrategyRef ref = registry.find(strategy);
    return ref == null || bans.of(device).contains(ref);
  }

  /** A strategy came, or came anew: what it did before is forgotten. */
  public void came(final StrategyRef ref) {
    bans.lift(ref.id());
  }

  private boolean same(final DeviceDma device, final @Nullable Choice choice) {
    final Pool pool = device.mapper().current().pool;
    if (choice == null || pool == null) {
      return choice == null && pool == null;
    }
    return choice.equals(store.choiceOf(pool));
  }

  /** What a device should have, for people. */
  public String wanted(final DeviceDma device) {
    synchronized (this) {
      final Target target = wanted.get(device);
      return target == null ? settings.strategy() : target.toString();
    }
  }

  /**
   * A strategy's service goes away. Returns when nobody is in its code and nobody will be, or the
   * watchdog's deadline made sure of that. Devices that another change holds up are waited for
   * until the deadline of a stop, all together.
   */
  public void gone(final long serviceId, final List<DeviceDma> devices) {
    registry.remove(serviceId);
    bans.lift(serviceId);
    final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.stopMs());
    for (final DeviceDma device : devices) {
      final long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      try {
        final SwapReport report =
            replacer.abandon(
                device,
                Leaving.service(serviceId),
                device.ready() ? desired(device) : null,
                settings,
                Math.max(0, left));
        if (report != null) {
          LOG.info("{}", report);
          left(report);
        }
      } catch (final RuntimeException | Error e) {
        // the others are left all the same, and all its pools
        LOG.error("{}: a strategy that has gone is not replaced", device.name(), e);
      }
    }
    final long watchdogNs = TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs());
    for (final Pool pool : store.poolsOf(serviceId)) {
      pool.endService(watchdogNs);
    }
    store.forget(serviceId);
    // Should what took its place not have got ready.
    devices.forEach(device -> reconcile(device, "service gone"));
  }

  /**
   * A strategy has misbehaved too much, and is not called any more. The devices that use the pool
   * get another one; does not wait for that.
   */
  public void misbehaved(final Pool pool, final List<DeviceDma> devices) {
    final Misconduct.Verdict verdict = pool.misconduct().verdict();
    final StrategyRef ref = store.refOf(pool);
    if (verdict == null || ref == null) {
      return;
    }
    final List<DeviceDma> users = new ArrayList<>();
    for (final DeviceDma device : devices) {
      if (device.mapper().current().pool == pool) {
        bans.ban(device, ref);
        users.add(device);
      }
    }
    try {
      threads.execute(
          () -> {
            users.forEach(device -> replace(device, pool, verdict));
            if (verdict.offence().doubtful()) {
              store.setAside(pool, null, verdict.toString());
            }
          });
    } catch (final RejectedExecutionException e) {
      LOG.debug("the DMA core has stopped: {} stays without a strategy", pool.name());
    }
  }

  /**
   * Maps of a device go to a strategy since just now. One that misbehaved before, and after it was
   * chosen, was judged when the device did not use it yet.
   */
  private void published(final DeviceDma device) {
    final Pool pool = device.mapper().current().pool;
    if (pool != null && pool.misconduct().verdict() != null) {
      misbehaved(pool, List.of(device));
    }
  }

  private void replace(final DeviceDma device, final Pool pool, final Misconduct.Verdict verdict) {
    try {
      final SwapReport report =
          replacer.abandon(
              device,
              Leaving.misbehaved(pool, verdict),
              device.ready() ? desired(device) : null,
              settings,
              Structure.LOCK_MS);
      if (report != null) {
        LOG.warn("{}", report);
        left(report);
      }
    } catch (final RuntimeException | Error e) {
      LOG.error("{}: a strategy that has misbehaved is not replaced", device.name(), e);
    }
    if (device.ready()) {
      startDesired(device, "misbehaved"); // should what took its place not have got ready
    }
  }

  /** A device is closed: no more maps; what lives is finished by the core. */
  public void closed(final DeviceDma device) {
    replacer.closed(device, settings, settings.stopMs());
    device.mapper().revoked().close();
    synchronized (this) {
      wanted.remove(device);
    }
    bans.forget(device);
  }

  /**
   * A device was reset, so that no access of it goes on: if it does without IOMMU strategies it
   * leaves the domain that it may still be in.
   */
  public void reset(final DeviceDma device) {
    if (!Structure.lock(device, settings.stopMs())) {
      LOG.warn(
          "{}: {}; it stays in its IOMMU domain",
          device.name(),
          Structure.late(device, settings.stopMs()));
      return;
    }
    try {
      final DmaDomain domain = device.mapper().domain();
      final Pool pool = device.mapper().current().pool;
      if (domain != null
          && domain.isIdle()
          && (pool == null || pool.index() == null)
          && !domains.needsDomain(device)) { // else nobody would attach it again
        domains.leave(device);
      }
    } finally {
      device.structure().unlock();
    }
  }

  /** A device without mappings is forgotten: it leaves its domain. */
  public void forgotten(final DeviceDma device) {
    domains.leave(device);
  }

  /** Goes on with what swaps have left behind. By the core's timer. */
  public void sweep() {
    store.sweep();
    restricted.sweep();
    domains.tick();
  }

  /** The transitions that go on. */
  synchronized List<Transition> running() {
    return List.copyOf(transitions.values());
  }

  /** The last swaps, oldest first. */
  public synchronized List<SwapReport> history() {
    return List.copyOf(history);
  }

  /** The core stops: no swap begins any more, and no map of any device succeeds. */
  public void halt(final List<DeviceDma> devices) {
    synchronized (this) {
      halted = true;
    }
    for (final DeviceDma device : devices) {
      if (!device.isClosed()) {
        replacer.closed(device, settings, settings.watchdogMs());
      }
    }
  }

  /**
   * Ends the threads: a drain that goes on is cut short.
   *
   * @param timeoutMs how long to wait for them
   * @return whether they have ended
   */
  public boolean close(final long timeoutMs) {
    threads.shutdownNow();
    try {
      return threads.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
