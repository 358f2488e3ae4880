package io.carom.benchmarks.measure;

/** Plain arithmetic, in which threads have nothing in common but the processor. */
public final class ArithmeticLoop extends Loop {
  private static final int STEPS = 16;

  private long state = 0x9e3779b97f4a7c15L;

  /** A loop. */
  public ArithmeticLoop() {}

  @Override
  protected long run(final long operations) {
    long x = state;
    for (long i = 0; i < operations; i++) {
      for (int step = 0; step < STEPS; step++) {
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
      }
    }
    state = x; // never 0, and read by the next call: the loop cannot be left out
    return 0;
  }
}
