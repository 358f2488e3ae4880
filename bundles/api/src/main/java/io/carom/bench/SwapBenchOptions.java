package io.carom.bench;

/**
 * How long to swap.
 *
 * @param seconds how long it takes about, 1 to 3600; means nothing to a soak. Below 20 the start of
 *     the JVMs makes it longer than was asked for
 * @param soak 10,000 swaps of strategies and 200 updates of bundles instead
 * @param seed seed of the bytes that are moved
 */
public record SwapBenchOptions(int seconds, boolean soak, long seed) {
  /** What it takes unless told otherwise. */
  public static final int SECONDS = 50;

  /** The longest run, seconds. */
  public static final int MOST_SECONDS = 3600;

  /** The usual run, with seed 1. */
  public static final SwapBenchOptions DEFAULTS = new SwapBenchOptions(SECONDS, false, 1);

  /** Checks the length. */
  public SwapBenchOptions {
    if (seconds < 1 || seconds > MOST_SECONDS) {
      throw new IllegalArgumentException("seconds=" + seconds + " is not in 1.." + MOST_SECONDS);
    }
  }
}
