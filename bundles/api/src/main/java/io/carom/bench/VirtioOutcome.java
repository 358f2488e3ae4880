package io.carom.bench;

import java.util.List;

/**
 * What a run of the benchmark of virtqueues and block devices came to.
 *
 * @param report figures
 * @param problems what could not be measured, one line each
 */
public record VirtioOutcome(VirtioReport report, List<String> problems) {
  /** Copies the list. */
  public VirtioOutcome {
    problems = List.copyOf(problems);
  }
}
