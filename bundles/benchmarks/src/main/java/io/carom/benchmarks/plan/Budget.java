package io.carom.benchmarks.plan;

import java.util.List;
import java.util.function.LongSupplier;

/**
 * Shares time out: before each task, the length of its stretches is set so that all tasks that are
 * left end in time. What tasks took beside their stretches is compared with the estimate, and the
 * estimates of those to come are corrected by it: so on a slow machine stretches are shorter from
 * early on, and nothing is left out.
 */
public final class Budget {
  /** Shortest stretch: below it a figure is noise. */
  public static final long LEAST_UNIT_NS = 3_000_000;

  /** Longest stretch: beyond it figures get no better. */
  public static final long MOST_UNIT_NS = 40_000_000;

  /** What the first estimates weigh against what is measured: as much as so many tasks. */
  private static final int PRIOR_TASKS = 2;

  private final long startNs;
  private final long totalNs;
  private final LongSupplier clock;
  private Cost running = new Cost(0, 0);
  private long runningSinceNs;
  private long runningUnitNs;
  private double estimatedNs;
  private double tookNs;

  /**
   * Time that begins now.
   *
   * @param totalNs how much there is; {@link Long#MAX_VALUE} for no limit
   * @param clock as {@link System#nanoTime}
   */
  public Budget(final long totalNs, final LongSupplier clock) {
    this.startNs = clock.getAsLong();
    this.totalNs = totalNs;
    this.clock = clock;
  }

  /** The length of the stretches of the first of the tasks that are left, which begins now. */
  public long unit(final List<? extends Costed> left) {
    if (totalNs == Long.MAX_VALUE) {
      return MOST_UNIT_NS;
    }
    final long now = clock.getAsLong();
    learn(now);
    Cost cost = new Cost(0, 0);
    for (final Costed task : left) {
      cost = cost.plus(task.cost());
    }
    running = left.getFirst().cost();
    final double fixedNs = cost.fixedNs() * slowness(cost.fixedNs() / left.size());
    final double spare = totalNs - (now - startNs) - fixedNs;
    runningSinceNs = now;
    runningUnitNs =
        Math.clamp((long) (spare / Math.max(1, cost.units())), LEAST_UNIT_NS, MOST_UNIT_NS);
    return runningUnitNs;
  }

  private void learn(final long now) {
    if (runningUnitNs > 0) {
      estimatedNs += running.fixedNs();
      tookNs += Math.max(0, now - runningSinceNs - running.units() * runningUnitNs);
    }
  }

  private double slowness(final long usualNs) {
    final double prior = (double) PRIOR_TASKS * usualNs;
    return (tookNs + prior) / (estimatedNs + prior);
  }
}
