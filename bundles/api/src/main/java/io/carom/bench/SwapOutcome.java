package io.carom.bench;

import java.util.List;

/**
 * What a run of the benchmark of hot swaps came to.
 *
 * @param report figures
 * @param problems what could not be measured, or went wrong, one line each
 */
public record SwapOutcome(SwapBenchReport report, List<String> problems) {
  /** Copies the list. */
  public SwapOutcome {
    problems = List.copyOf(problems);
  }
}
