package io.carom.benchmarks.child;

import io.carom.bench.SwapBenchReport;
import org.jspecify.annotations.Nullable;

/**
 * What a child says of hot swaps: one JSON object on a line, of which one part is there.
 *
 * @param cell a cell
 * @param update updates of a bundle
 * @param swappableNsPerOp what being swappable costs
 * @param problem what went wrong and does not end the child, one line
 * @param error why the child ends early, one line
 * @param done whether everything that was asked for is said
 */
public record SwapMessage(
    SwapBenchReport.@Nullable Cell cell,
    SwapBenchReport.@Nullable Update update,
    @Nullable Double swappableNsPerOp,
    @Nullable String problem,
    @Nullable String error,
    boolean done)
    implements Reply {
  /** The end. */
  public static final SwapMessage DONE = new SwapMessage(null, null, null, null, null, true);

  /** Nothing yet, but it goes on. */
  public static final SwapMessage ALIVE = new SwapMessage(null, null, null, null, null, false);

  /** A cell. */
  public static SwapMessage of(final SwapBenchReport.Cell cell) {
    return new SwapMessage(cell, null, null, null, null, false);
  }

  /** Updates of a bundle. */
  public static SwapMessage of(final SwapBenchReport.Update update) {
    return new SwapMessage(null, update, null, null, null, false);
  }

  /** What being swappable costs. */
  public static SwapMessage ofCost(final double ns) {
    return new SwapMessage(null, null, ns, null, null, false);
  }

  /** Something that went wrong. */
  public static SwapMessage ofProblem(final String line) {
    return new SwapMessage(null, null, null, line, null, false);
  }

  /** A failure. */
  public static SwapMessage ofError(final String line) {
    return new SwapMessage(null, null, null, null, line, false);
  }
}
