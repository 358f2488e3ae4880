package io.carom.benchmarks.plan;

import org.jspecify.annotations.Nullable;

/**
 * One row of the benchmark of the IOMMU strategies.
 *
 * @param strategy strategy
 * @param variant its variant, or null where there is none
 * @param write whether the device reads from memory
 * @param bsBytes block size
 */
public record IoCase(String strategy, @Nullable String variant, boolean write, long bsBytes) {
  /** Direction, as in the report. */
  public String rw() {
    return write ? "write" : "read";
  }

  /** Strategy and variant, for people. */
  public String title() {
    return variant == null ? strategy : strategy + " " + variant;
  }
}
