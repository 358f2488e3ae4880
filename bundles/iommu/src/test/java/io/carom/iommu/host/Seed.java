package io.carom.iommu.host;

import java.util.Random;

/** Seeds of random tests: printed, and given by {@code -Dcarom.seed=...}. */
public final class Seed {
  private Seed() {}

  /** A generator for a test. */
  public static Random random(final String test) {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    System.out.println(test + ": -Dcarom.seed=" + seed);
    return new Random(seed);
  }
}
