package io.carom.dma.core.swap;

import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.swap.Transition.Drain;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one swap: ready → publish → grace → drain → end.
 *
 * <ol>
 *   <li><b>Ready.</b> The new pool is opened and filled; where it lies in the same region as the
 *       old one, the old one yields half of its empty extents, and finds room for as much again as
 *       it has in use.
 *   <li><b>Publish.</b> One volatile write; new maps go to the new generation. The old one drains
 *       and lends. From here on the swap does not fail any more: what goes wrong is noted in its
 *       report.
 *   <li><b>Grace.</b> Each stripe lock of the old pool is taken once: no map that saw the old
 *       generation is still on its way, every record of it is visible.
 *   <li><b>Drain.</b> Old mappings die by their own unmaps. Emptied extents flow on.
 *   <li><b>End.</b> The loan ends, another grace waits for borrowers. When mappings are left at the
 *       deadline, the policy says what becomes of their extents: the core finishes them without the
 *       strategy, sets them aside, or has the device fenced and takes them away ({@link Fencing}).
 * </ol>
 *
 * <p><b>Cancel.</b> While it drains a swap can be taken back: the roles of the two generations
 * change. The one that drained is published again, the other one drains, with a deadline of its
 * own, and lends. The transition says in one reference what drains ({@link Transition#drain}); a
 * cancel replaces it and the end of the drain closes it, both by compare-and-set, so exactly one of
 * them happens. A cancel holds the structure lock, and with it no service that goes ({@link
 * Replacer#abandon}) and no close of the device comes between its look at what there is and its
 * publishing; what comes after sees the generation that is current again. A strategy's service is
 * taken out of the registry before the devices that use it are looked at: a cancel that still found
 * it there has published before that look.
 *
 * <p>What changes the generations of a device happens under its structure lock, in steps that are
 * bounded by the watchdog; a drain holds no lock. Whoever wants the lock waits for it to a
 * deadline, as a strategy may hang while it is opened. A strategy that goes away meanwhile ({@link
 * Replacer#abandon}) changes the current generation under the same lock; the drain goes on without
 * it.
 */
final class Swapper {
  private static final Logger LOG = LoggerFactory.getLogger(Swapper.class);
  private static final long FIRST_PAUSE_NS = 50_000;
  private static final long LONGEST_PAUSE_NS = 1_000_000;

  private final Registry registry;
  private final PoolStore store;
  private final Readiness readiness;
  private final Fencing fencing;
  private final Timing timing;
  private final Consumer<DeviceDma> published;
  private final SwapWatch watch;

  /**
   * Swaps.
   *
   * @param published is told, under no lock, when maps of a device go to another generation
   * @param watch is told of phases
   */
  Swapper(
      final Registry registry,
      final PoolStore store,
      final Readiness readiness,
      final Fencing fencing,
      final Timing timing,
      final Consumer<DeviceDma> published,
      final SwapWatch watch) {
    this.registry = registry;
    this.watch = watch;
    this.store = store;
    this.readiness = readiness;
    this.fencing = fencing;
    this.timing = timing;
    this.published = published;
  }

  /**
   * Runs a swap to its end on the caller's thread.
   *
   * @throws IllegalStateException when the next generation cannot be made ready; nothing was
   *     changed
   */
  SwapReport run(final Transition swap, final Settings settings) {
    final long watchdogNs = TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs());
    try {
      begin(swap, watchdogNs);
      while (true) {
        final Drain drain = Objects.requireNonNull(swap.drain());
        drain(swap, drain);
        if (swap.close(drain)) {
          return end(swap, drain, settings, watchdogNs);
        }
      }
    } finally {
      settle(swap); // whatever happened: nothing drains for ever
    }
  }

  /** Nobody sees to what drained any more: it lends no more, and ends when it is empty. */
  private static void settle(final Transition swap) {
    Drain drain = swap.drain();
    while (drain != null && !drain.over() && !swap.close(drain)) {
      drain = swap.drain();
    }
    if (drain == null) {
      return; // nothing was published
    }
    drain.staying().lender(null);
    if (drain.leaving().state() == Generation.State.DRAINING) {
      drain.leaving().state(Generation.State.ADOPTED);
    }
    drain.leaving().settle();
  }

  private void begin(final Transition swap, final long watchdogNs) {
    final DeviceDma device = swap.device;
    Structure.require(device, Structure.LOCK_MS);
    try {
      checkThere(swap);
      final Generation old = device.mapper().current();
      swap.from = old;
      final Generation next = readiness.enterAndPrepare(device, swap.choice, old, watchdogNs);
      if (device.isClosed()) {
        readiness.discard(device, next); // while a strategy took its time
        checkThere(swap);
      }
      swap.to = next;
      swap.readyNs = timing.nanoTime() - swap.startNs;
      swap.failedBefore = device.mapper().failures().total();
      swap.lentBefore = lent(old);
      next.lender(readiness.mayLend(device, old, next) ? old : null);
      old.state(Generation.State.DRAINING);
      device.mapper().publish(next);
      next.state(Generation.State.CURRENT);
      store.release(old);
      swap.publishedNs = timing.nanoTime();
      swap.publishNs = swap.publishedNs - swap.startNs;
      // At once, so that it is seen to whatever fails from here on; no cancel comes before the lock
      // is free.
      swap.begin(
          new Drain(
              old,
              next,
              swap.publishedNs,
              swap.publishedNs + TimeUnit.MILLISECONDS.toNanos(swap.drainMs),
              false));
      serves(swap, next);
      swap.state = "GRACE";
      watch.published(SwapStep.of(swap));
      grace(swap, old, watchdogNs);
      swap.graceNs = timing.nanoTime() - swap.publishedNs;
      swap.liveAtPublish = old.live();
      swap.note(readiness.settled(device, next));
      swap.settled = true;
      swap.state = "DRAINING";
      watch.draining(SwapStep.of(swap));
    } finally {
      device.structure().unlock();
    }
    published.accept(device);
  }

  /** Whoever asked may have looked before device or strategy went; under the lock that holds. */
  private void checkThere(final Transition swap) {
    if (swap.device.isClosed()) {
      throw new IllegalStateException(swap.device.name() + " is closed");
    }
    final Choice choice = swap.choice;
    if (choice != null && !registry.refs().contains(choice.ref())) {
      throw new IllegalStateException(
          "strategy " + choice.ref().name() + " has gone, or is another one by now");
    }
  }

  private void grace(final Transition swap, final Generation of, final long watchdogNs) {
    final int given = of.pool == null ? 0 : of.pool.grace(watchdogNs);
    if (given > 0) {
      swap.note(
          given + " stripes of " + Transition.nameOf(of) + " did not end in the grace: abandoned");
    }
  }

  /**
   * Takes a swap back while it drains.
   *
   * @param decided called once it is certain, under the structure lock, before anything is
   *     published
   * @throws IllegalStateException when it is too late, or the strategy before cannot come back;
   *     nothing was changed
   */
  void cancel(final Transition swap, final Settings settings, final Runnable decided) {
    final DeviceDma device = swap.device;
    Structure.require(device, settings.stopMs());
    try {
      final Drain drain = checkDrains(swap);
      final Generation old = drain.leaving();
      final Generation next = drain.staying();
      checkMayComeBack(device, old);
      final boolean opened = readiness.enterAgain(device, old, next);
      if (!store.takeAgain(old)) {
        undoEnter(device, opened);
        throw cannot(device, old, "its pool is given up");
      }
      final long now = timing.nanoTime();
      final long deadline = now + TimeUnit.MILLISECONDS.toNanos(swap.drainMs);
      swap.settled = false;
      if (!swap.turn(drain, new Drain(next, old, now, deadline, false))) {
        swap.settled = true;
        store.release(old);
        undoEnter(device, opened);
        throw new IllegalStateException("the swap of " + device.name() + " has just drained");
      }
      swap.cancelled = true;
      swap.cause = "cancelled";
      decided.run();
      old.lender(readiness.mayLend(device, next, old) ? next : null);
      next.state(Generation.State.DRAINING);
      device.mapper().publish(old);
      // Only now: until it was published the other one could still borrow from it.
      old.state(Generation.State.CURRENT);
      next.lender(null);
      store.release(next);
      grace(swap, next, TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs()));
      swap.note(readiness.settled(device, old));
      swap.settled = true;
    } finally {
      device.structure().unlock();
    }
    published.accept(device);
  }

  private void undoEnter(final DeviceDma device, final boolean opened) {
    if (opened) {
      readiness.leaveAgain(device);
    }
  }

  private Drain checkDrains(final Transition swap) {
    final DeviceDma device = swap.device;
    final Drain drain = swap.drain();
    if (drain == null) {
      throw new IllegalStateException(
          "the swap of " + device.name() + " is not draining yet, but " + swap.state);
    }
    if (swap.cancelled) {
      throw new IllegalStateException("the swap of " + device.name() + " is cancelled already");
    }
    if (drain.over() || timing.nanoTime() - drain.deadlineNs() >= 0) {
      throw new IllegalStateException("the drain of " + device.name() + " is over");
    }
    if (device.isClosed()) {
      throw new IllegalStateException(device.name() + " is closed");
    }
    final Generation current = device.mapper().current();
    if (current != drain.staying()) {
      throw new IllegalStateException(
          Transition.nameOf(drain.staying())
              + " has gone meanwhile, and "
              + device.name()
              + " uses "
              + Transition.nameOf(current)
              + "; see dma:use");
    }
    return drain;
  }

  /** Whether the strategy before is there, as it was, and legal for what is negotiated now. */
  private void checkMayComeBack(final DeviceDma device, final Generation old) {
    final Pool pool = old.pool;
    if (pool == null || old.strategy == null) {
      throw cannot(device, old, "there was no strategy");
    }
    if (pool.misconduct().verdict() != null) {
      throw cannot(device, old, "it has misbehaved, " + pool.misconduct().verdict());
    }
    final Choice now;
    try {
      now = registry.choose(device, new Target(old.strategy, old.extents()));
    } catch (final IllegalArgumentException e) {
      throw cannot(device, old, String.valueOf(e.getMessage()));
    }
    if (!now.equals(store.choiceOf(pool))) {
      throw cannot(device, old, "its service or its configuration is another one by now");
    }
  }

  private static IllegalStateException cannot(
      final DeviceDma device, final Generation old, final String why) {
    return new IllegalStateException(
        device.name() + " cannot go back to " + Transition.nameOf(old) + ": " + why);
  }

  /** Waits until nothing lives in what drains, its deadline, or until it is taken back. */
  private void drain(final Transition swap, final Drain drain) {
    long pause = FIRST_PAUSE_NS;
    while (true) {
      flowOn(swap, drain.leaving());
      if (swap.settled && store.isDrained(drain.leaving())) {
        return;
      }
      final Drain now = swap.drain();
      if (now == null || now.leaving() != drain.leaving()) {
        return;
      }
      if (Thread.currentThread().isInterrupted()) {
        swap.note("the DMA core stops: the drain was cut short");
        return; // and would not really pause any more
      }
      if (timing.nanoTime() - drain.deadlineNs() >= 0) {
        return;
      }
      timing.pause(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_NS);
    }
  }

  /** What was left free for the one before is the next one's now, which lends. */
  private void serves(final Transition swap, final Generation next) {
    try {
      store.serves(next.pool);
    } catch (final RuntimeException e) {
      LOG.error("{}: extents are not granted", swap.device.name(), e);
      swap.note("extents: " + e);
    }
  }

  /** To whoever is current: the one that this swap brought in may have gone away again. */
  private void flowOn(final Transition swap, final Generation leaving) {
    try {
      swap.moved += store.flow(leaving.pool, swap.device.mapper().current().pool);
      readiness.sweep(swap.device);
    } catch (final RuntimeException e) {
      LOG.error("{}: extents do not flow", swap.device.name(), e);
      swap.note("extents: " + e);
    }
  }

  /** It is decided that the drain is over: nobody takes it back. */
  private SwapReport end(
      final Transition swap, final Drain drain, final Settings settings, final long watchdogNs) {
    final Generation leaving = drain.leaving();
    swap.state = "ENDING";
    endLoan(swap, drain, watchdogNs);
    drain(swap, drain); // for what was lent last
    final long left = leaving.live();
    long revoked = 0;
    String outcome = "DRAINED";
    if (left != 0) {
      SwapPolicy policy = swap.policy;
      if (policy == SwapPolicy.REVOKE) {
        swap.state = "REVOKING";
        final Fencing.Outcome fenced = fencing.revoke(swap, leaving, settings);
        revoked = fenced.revoked();
        policy = fenced.done() ? SwapPolicy.REVOKE : SwapPolicy.QUARANTINE;
      }
      outcome = leave(swap, leaving, policy, watchdogNs);
      sayLeft(swap, leaving, left, outcome);
    }
    if (leaving.live() == 0) {
      leaving.state(Generation.State.CLOSED);
    }
    flowOn(swap, leaving);
    swap.note(readiness.flushed(swap.device));
    return report(swap, drain, outcome, outcome.equals("REVOKED") ? leaving.live() : left, revoked);
  }

  private void endLoan(final Transition swap, final Drain drain, final long watchdogNs) {
    final DeviceDma device = swap.device;
    if (!Structure.lock(device, Structure.LOCK_MS)) {
      swap.note(Structure.late(device, Structure.LOCK_MS) + ": ended without waiting for it");
    }
    try {
      drain.staying().lender(null);
      final Generation current = device.mapper().current();
      if (current.lender() == drain.leaving()) {
        current.lender(null);
      }
      drain.leaving().state(Generation.State.ADOPTED);
      grace(swap, drain.leaving(), watchdogNs); // for those who borrow
    } finally {
      Structure.unlock(device);
    }
  }

  /** Applies the policy to what is left. */
  private String leave(
      final Transition swap,
      final Generation leaving,
      final SwapPolicy policy,
      final long watchdogNs) {
    final DeviceDma device = swap.device;
    final Pool pool = leaving.pool;
    if (!Structure.lock(device, Structure.LOCK_MS)) {
      swap.note(Structure.late(device, Structure.LOCK_MS) + ": ended without waiting for it");
    }
    try {
      final boolean aside = policy == SwapPolicy.QUARANTINE;
      if (pool != null && store.disableIfRetired(pool, aside)) {
        // Nobody else uses it: from here on the core needs no code of it.
        pool.endStrategy(watchdogNs);
      }
    } finally {
      Structure.unlock(device);
    }
    return switch (policy) {
      case ADOPT -> "ADOPTED";
      case QUARANTINE -> "QUARANTINED";
      case REVOKE -> "REVOKED";
    };
  }

  private static void sayLeft(
      final Transition swap, final Generation leaving, final long left, final String outcome) {
    final String what =
        left
            + " mappings of "
            + Transition.nameOf(leaving)
            + " outlived the drain deadline of "
            + swap.drainMs
            + " ms: "
            + outcome;
    swap.note(what);
    LOG.warn("{}: {}", swap.device.name(), what);
  }

  private SwapReport report(
      final Transition swap,
      final Drain drain,
      final String outcome,
      final long left,
      final long revoked) {
    final DeviceDma device = swap.device;
    final Generation from = Objects.requireNonNull(swap.from);
    final Generation to = Objects.requireNonNull(swap.to);
    if (swap.cancelled && device.mapper().current() != from) {
      swap.note(Transition.nameOf(from) + " has gone since");
    }
    return new SwapReport(
        device.name(),
        from.strategy,
        from.extents(),
        to.strategy,
        to.extents(),
        from.number,
        to.number,
        swap.cancelled ? "CANCELLED" : outcome,
        swap.publishNs / 1e3,
        swap.graceNs / 1e3,
        (timing.nanoTime() - drain.startNs()) / 1e6,
        swap.liveAtPublish,
        left,
        swap.moved,
        lent(from) - swap.lentBefore + lent(to),
        device.mapper().failures().total() - swap.failedBefore,
        swap.cause,
        swap.atMs,
        swap.readyNs / 1e3,
        revoked,
        swap.note());
  }

  private static long lent(final Generation generation) {
    long sum = 0;
    for (final var cell : generation.cells()) {
      sum += cell.lent;
    }
    return sum;
  }
}
