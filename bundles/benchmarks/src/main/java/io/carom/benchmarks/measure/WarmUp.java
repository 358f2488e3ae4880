package io.carom.benchmarks.measure;

/**
 * Runs loops until they get no faster: until the compiler has done with them. Where it gets little
 * of the processors that takes longer than elsewhere, so the time alone does not tell.
 */
public final class WarmUp {
  private static final int PARTS = 5;
  private static final int MOST_PARTS = 6 * PARTS;
  private static final int CALM_PARTS = 3;
  private static final double FASTER = 0.9;
  private static final long LEAST_OPERATIONS = 20_000; // the compiler's last stage begins below

  private WarmUp() {}

  /**
   * Runs loops, one for each thread.
   *
   * @param ns time that it takes at least; at most six times as much
   */
  public static void run(final Team team, final long ns, final Loop... loops)
      throws InterruptedException {
    double best = Double.MAX_VALUE;
    long operations = 0;
    int calm = 0;
    for (int part = 1; part <= MOST_PARTS; part++) {
      final Stretch stretch = team.run(ns / PARTS, loops);
      operations += stretch.operations() + stretch.failures();
      final double now = (double) stretch.threadNs() / (stretch.operations() + stretch.failures());
      calm = now < best * FASTER ? 0 : calm + 1;
      best = Math.min(best, now);
      if (part >= PARTS && calm >= CALM_PARTS && operations >= LEAST_OPERATIONS * loops.length) {
        return;
      }
    }
  }
}
