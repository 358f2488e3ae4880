package io.carom.dma.core.swap;

import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Finds strategies that do not return: a stripe that is held by the same thread, in the same visit
 * to the strategy's code, for longer than the deadline is abandoned. Runs on the core's timer.
 */
final class Watchdog {
  private record Hold(long owner, long visit, long sinceNs) {}

  private final Timing timing;
  private Map<Stripe, Hold> holds = new HashMap<>();

  Watchdog(final Timing timing) {
    this.timing = timing;
  }

  void check(final List<Pool> pools, final long deadlineMs) {
    final long now = timing.nanoTime();
    final Map<Stripe, Hold> next = new HashMap<>();
    for (final Pool pool : pools) {
      for (final Stripe stripe : pool.stripes()) {
        final long owner = stripe.owner();
        final long visit = stripe.visit();
        if (owner == 0 || stripe.abandoned() || (visit & 1) == 0) {
          continue;
        }
        final Hold before = holds.get(stripe);
        if (before == null || before.owner != owner || before.visit != visit) {
          next.put(stripe, new Hold(owner, visit, now));
        } else if (now - before.sinceNs < TimeUnit.MILLISECONDS.toNanos(deadlineMs)) {
          next.put(stripe, before);
        } else {
          pool.abandon(stripe);
        }
      }
    }
    holds = next;
  }
}
