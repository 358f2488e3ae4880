package io.carom.bench;

/**
 * What to measure; all of it takes at most 55 s.
 *
 * @param ring rings by themselves
 * @param blk block devices
 * @param seed seed of the blocks that are read
 */
public record VirtioBenchOptions(boolean ring, boolean blk, long seed) {
  /** Everything, with seed 1. */
  public static final VirtioBenchOptions DEFAULTS = new VirtioBenchOptions(true, true, 1);
}
