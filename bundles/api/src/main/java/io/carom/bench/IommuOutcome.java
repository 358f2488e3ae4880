package io.carom.bench;

import java.util.List;

/**
 * What a run of the benchmark of the IOMMU strategies came to.
 *
 * @param report figures
 * @param problems what could not be measured, one line each
 */
public record IommuOutcome(IommuReport report, List<String> problems) {
  /** Copies the list. */
  public IommuOutcome {
    problems = List.copyOf(problems);
  }
}
