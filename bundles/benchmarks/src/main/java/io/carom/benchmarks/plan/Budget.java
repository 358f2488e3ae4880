package io.carom.benchmarks.plan;

import java.util.List;
import java.util.function.LongSupplier;

/**
 * Shares time out: before each task, the length of its stretches is set so that all tasks that are
 * left end in time. So a start that was slow shortens the stretches of what follows, and nothing is
 * left out.
 */
public final class Budget {
  /** Shortest stretch: below it a figure is noise. */
  public static final long LEAST_UNIT_NS = 3_000_000;

  /** Longest stretch: beyond it figures get no better. */
  public static final long MOST_UNIT_NS = 40_000_000;

  private final long startNs;
  private final long totalNs;
  private final LongSupplier clock;

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

  /** The length of the stretches of the first of the tasks that are left. */
  public long unit(final List<Task> left) {
    if (totalNs == Long.MAX_VALUE) {
      return MOST_UNIT_NS;
    }
    Cost cost = new Cost(0, 0);
    for (final Task task : left) {
      cost = cost.plus(Cost.of(task));
    }
    final long spare = totalNs - (clock.getAsLong() - startNs) - cost.fixedNs();
    return Math.clamp((long) (spare / Math.max(1, cost.units())), LEAST_UNIT_NS, MOST_UNIT_NS);
  }
}
