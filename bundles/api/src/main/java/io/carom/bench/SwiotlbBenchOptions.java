package io.carom.bench;

/**
 * What to measure.
 *
 * @param full the whole matrix, which takes many minutes; else a selection of at most 55 s
 * @param seed seed of the random fill of pools, and of random choices among live mappings
 */
public record SwiotlbBenchOptions(boolean full, long seed) {
  /** The selection, with seed 1. */
  public static final SwiotlbBenchOptions DEFAULTS = new SwiotlbBenchOptions(false, 1);
}
