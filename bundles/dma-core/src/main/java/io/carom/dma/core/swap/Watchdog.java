package io.carom.dma.core.swap;

import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.pool.Misconduct;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after strategies: one that does not return, so that a stripe is held by the same thread, in
 * the same visit to the strategy's code, for longer than the deadline, costs that stripe; what they
 * did wrong is said, the first of each kind; and of those that did too much the devices get rid.
 * Runs on the core's timer, and at once when something is wrong.
 */
final class Watchdog {
  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);

  /** Looks at a hold before it is too long: when the whole machine stood still there are fewer. */
  private static final int LEAST_LOOKS = 4;

  private record Hold(long owner, long visit, long sinceNs, int looks) {
    Hold again() {
      return new Hold(owner, visit, sinceNs, looks + 1);
    }
  }

  private final Timing timing;
  private final SwapControl control;
  private Map<Stripe, Hold> holds = new HashMap<>();

  Watchdog(final Timing timing, final SwapControl control) {
    this.timing = timing;
    this.control = control;
  }

  void check(final List<Pool> pools, final List<DeviceDma> devices, final long deadlineMs) {
    final long now = timing.nanoTime();
    final Map<Stripe, Hold> next = new HashMap<>();
    for (final Pool pool : pools) {
      for (final Stripe stripe : pool.stripes()) {
        if (stripe.abandoned()) {
          if (stripe.mayPublish()) {
            pool.seal(stripe); // it was in the core's code when it was given up
          }
        } else {
          look(pool, stripe, now, deadlineMs, next);
        }
      }
      judge(pool, devices);
    }
    holds = next;
  }

  private void look(
      final Pool pool,
      final Stripe stripe,
      final long now,
      final long deadlineMs,
      final Map<Stripe, Hold> next) {
    final long owner = stripe.owner();
    final long visit = stripe.visit();
    if (owner == 0 || (visit & 1) == 0) {
      return;
    }
    final Hold before = holds.get(stripe);
    if (before == null || before.owner != owner || before.visit != visit) {
      next.put(stripe, new Hold(owner, visit, now, 1));
    } else if (now - before.sinceNs < TimeUnit.MILLISECONDS.toNanos(deadlineMs)
        || before.looks < LEAST_LOOKS) {
      next.put(stripe, before.again());
    } else {
      pool.abandon(stripe);
    }
  }

  private void judge(final Pool pool, final List<DeviceDma> devices) {
    final Misconduct misconduct = pool.misconduct();
    for (final String text : misconduct.takeUnsaid()) {
      LOG.error("pool {}: strategy {} misbehaves, {}", pool.name(), pool.strategy(), text);
    }
    final Misconduct.Verdict verdict = misconduct.takeVerdict();
    if (verdict != null) {
      LOG.error(
          "pool {}: strategy {} is called no more, {}; another one takes its place until its"
              + " service comes anew or dma:use asks for it",
          pool.name(),
          pool.strategy(),
          verdict);
      control.misbehaved(pool, devices);
    }
  }
}
