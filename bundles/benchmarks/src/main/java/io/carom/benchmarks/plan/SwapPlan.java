package io.carom.benchmarks.plan;

import io.carom.bench.SwapBenchOptions;
import java.util.ArrayList;
import java.util.List;

/** Which tasks a run of the benchmark of hot swaps consists of. */
public final class SwapPlan {
  /** Bundles that can be updated under load, in the order in which they are. */
  public static final List<String> BUNDLES =
      List.of(
          "io.carom.shell",
          "io.carom.swiotlb",
          "io.carom.iommu.pool",
          "io.carom.iommu.host",
          "io.carom.virtio.device",
          "io.carom.pcibus");

  /** Rounds of a cell at least. */
  public static final int ROUNDS = 5;

  /** Pairs of stretches with and without the core. */
  static final int PAIRS = 61;

  private static final int SOAK_SWAPS = 10_000;
  private static final int SOAK_UPDATES = 200;
  private static final int UPDATES = 3;

  private SwapPlan() {}

  /** The tasks, each for a JVM of its own: so that no one spoils what is compiled for another. */
  public static List<SwapTask> tasks(final SwapBenchOptions options) {
    final List<SwapTask> tasks = new ArrayList<>();
    final int cells = SwapTask.WORKERS.size() * SwapTask.OCCUPANCIES.size();
    final int swaps = options.soak() ? ceiling(SOAK_SWAPS, cells) : 0;
    tasks.add(new SwapTask(SwapTask.Kind.OVERHEAD, PAIRS, 0, 0, 0, options.seed()));
    tasks.add(new SwapTask(SwapTask.Kind.CELLS, rounds(options), swaps, 0, 0, options.seed()));
    tasks.add(new SwapTask(SwapTask.Kind.UPDATES, 0, 0, updates(options), 0, options.seed()));
    return tasks;
  }

  /** What the run may take, nanoseconds; {@link Long#MAX_VALUE} for a soak. */
  public static long budgetNs(final SwapBenchOptions options) {
    return options.soak() ? Long.MAX_VALUE : options.seconds() * 1_000_000_000L;
  }

  /** More in a long run, as a stretch of it has a greatest length. */
  private static int rounds(final SwapBenchOptions options) {
    return Math.max(ROUNDS, ROUNDS * options.seconds() / SwapBenchOptions.SECONDS);
  }

  /** Updates of each bundle. */
  private static int updates(final SwapBenchOptions options) {
    return options.soak()
        ? ceiling(SOAK_UPDATES, BUNDLES.size())
        : Math.max(1, UPDATES * options.seconds() / SwapBenchOptions.SECONDS);
  }

  private static int ceiling(final int total, final int parts) {
    return (total + parts - 1) / parts;
  }
}
