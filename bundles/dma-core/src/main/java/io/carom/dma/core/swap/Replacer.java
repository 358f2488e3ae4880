package io.carom.dma.core.swap;

import io.carom.dma.SwapReport;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Generation;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts another strategy, or none, in the place of one that is there no more: at once, without a
 * drain, as its code must not be called again. What it had mapped is finished by the core. Under
 * the device's structure lock, as {@link Swapper} tells.
 */
final class Replacer {
  private static final Logger LOG = LoggerFactory.getLogger(Replacer.class);

  private final PoolStore store;
  private final Readiness readiness;
  private final Timing timing;

  Replacer(final PoolStore store, final Readiness readiness, final Timing timing) {
    this.store = store;
    this.readiness = readiness;
    this.timing = timing;
  }

  /**
   * A strategy's service is going away, or it has misbehaved: puts another in its place wherever it
   * is current, and lets nobody into its code again. Returns when nobody is inside, or the stripes
   * that someone hangs in are abandoned.
   *
   * @param lockMs how long to wait for another change of the device
   * @return what was done, or null when the device did not use it
   */
  @Nullable SwapReport abandon(
      final DeviceDma device,
      final Leaving going,
      final @Nullable Choice replacement,
      final Settings settings,
      final long lockMs) {
    final long watchdogNs = TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs());
    final long start = timing.nanoTime();
    if (!Structure.lock(device, lockMs)) {
      // Its pools are ended all the same: maps fail until the other change ends, which looks again.
      LOG.error("{}: {}; its strategy is gone", device.name(), Structure.late(device, lockMs));
      return null;
    }
    try {
      final Generation old = device.mapper().current();
      final StrategyRef ref = store.refOf(old.pool);
      if (ref == null || old.pool == null || !going.isOf(old.pool, ref)) {
        return null;
      }
      final Generation next = replacement(device, replacement, old, watchdogNs);
      final long ready = timing.nanoTime();
      final long failedBefore = device.mapper().failures().total();
      final Generation lender = old.lender();
      if (lender != null
          && lender.state() == Generation.State.DRAINING
          && readiness.mayLend(device, lender, next)) {
        next.lender(lender); // it has not finished draining, and its strategy is there
      }
      store.serves(next.pool); // before it does: the one before neither waits for room nor lends
      device.mapper().publish(next);
      next.state(Generation.State.CURRENT);
      old.state(Generation.State.ADOPTED);
      old.lender(null);
      store.release(old);
      final long published = timing.nanoTime();
      final int given = old.pool.grace(watchdogNs);
      old.settle();
      final long grace = timing.nanoTime() - published;
      final String unsettled = readiness.settled(device, next);
      final String unflushed = readiness.flushed(device);
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
          device.mapper().failures().total() - failedBefore,
          going.cause(),
          timing.currentTimeMillis(),
          (ready - start) / 1e3,
          0,
          going.note(given, unsettled, unflushed));
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
      return readiness.enterAndPrepare(device, choice, old, watchdogNs);
    } catch (final IllegalStateException e) {
      LOG.warn("{}: {}; it has no strategy for now", device.name(), e.getMessage());
      return readiness.prepare(device, null, null);
    }
  }

  /**
   * A device is closed: no more maps; what lives is finished by the core.
   *
   * @param lockMs how long to wait for another change of the device
   */
  void closed(final DeviceDma device, final Settings settings, final long lockMs) {
    if (!Structure.lock(device, lockMs)) {
      LOG.error("{}: {}; closed all the same", device.name(), Structure.late(device, lockMs));
    }
    try {
      final Generation old = device.mapper().current();
      final Generation none = readiness.prepare(device, null, null);
      none.state(Generation.State.CURRENT);
      device.mapper().publish(none);
      if (old.pool != null) {
        old.state(Generation.State.ADOPTED);
        old.lender(null);
        store.release(old);
        old.pool.grace(TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs()));
        old.settle();
      }
    } finally {
      Structure.unlock(device);
    }
  }
}
