package io.carom.benchmarks.plan;

import java.util.List;

/**
 * What one JVM measures of hot swaps. Times are nanoseconds.
 *
 * @param kind which of the following it is about
 * @param rounds rounds of each figure at least
 * @param swaps swaps of each cell at least
 * @param updates updates of each bundle
 * @param unitNs length of a timed stretch, of which a stretch of a cell has {@link #CELL_UNITS}
 * @param seed seed of what is random
 */
public record SwapTask(Kind kind, int rounds, int swaps, int updates, long unitNs, long seed)
    implements PlannedTask<SwapTask> {
  /** Threads of the cells. */
  public static final List<Integer> WORKERS = List.of(1, 4, 16);

  /** Shares of the pool that they hold, percent. */
  public static final List<Integer> OCCUPANCIES = List.of(10, 50, 75);

  /** Units of a stretch of a cell: many swaps must fit into one. */
  public static final int CELL_UNITS = 8;

  private static final long MS = 1_000_000;
  private static final long JVM_NS = 600 * MS;
  private static final long WARM_UP_NS = 1_000 * MS;
  private static final long CELL_NS = 120 * MS;
  private static final long CONTAINER_NS = 5_000 * MS;
  private static final long SECOND_NS = 1_000 * MS;

  /** What is measured. */
  public enum Kind {
    /** The price of being able to swap. */
    OVERHEAD,
    /** Swaps of strategies. */
    CELLS,
    /** Updates of bundles. */
    UPDATES
  }

  @Override
  public SwapTask withUnit(final long ns) {
    return new SwapTask(kind, rounds, swaps, updates, ns, seed);
  }

  @Override
  public Cost cost() {
    final int cells = WORKERS.size() * OCCUPANCIES.size();
    return switch (kind) {
      case OVERHEAD -> new Cost(JVM_NS + WARM_UP_NS, 2.0 * rounds);
      case CELLS ->
          new Cost(JVM_NS + WARM_UP_NS + cells * CELL_NS, 2.0 * CELL_UNITS * rounds * cells);
      case UPDATES ->
          // a second without an update comes first
          new Cost(CONTAINER_NS + SwapPlan.BUNDLES.size() * (updates + 1L) * SECOND_NS, 0);
    };
  }

  @Override
  public String title() {
    return switch (kind) {
      case OVERHEAD -> "what being swappable costs";
      case CELLS -> "swaps of strategies";
      case UPDATES -> "updates of bundles";
    };
  }
}
