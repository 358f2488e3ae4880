package io.carom.virtio;

import java.util.concurrent.TimeUnit;

/**
 * How often code that fails is put in its own place again: at most so many times in so long, so
 * that a fault which comes back at once ends, and one that comes now and then does not. For each
 * device one. Thread-safe.
 */
public final class RestartBudget {
  /** Most restarts in {@link #DEFAULT_WITHIN_MS}, where nothing else is configured. */
  public static final int DEFAULT_MOST = 3;

  /** The time that restarts are counted in, in milliseconds. */
  public static final long DEFAULT_WITHIN_MS = 10_000;

  private final long withinNanos;
  private final long withinMs;
  private final long[] times;
  private int next;
  private long taken;

  /**
   * A budget of which nothing is used.
   *
   * @param most restarts, 0 for none at all
   * @param withinMs milliseconds, at least 1
   */
  public RestartBudget(final int most, final long withinMs) {
    if (most < 0 || withinMs < 1) {
      throw new IllegalArgumentException(most + " restarts in " + withinMs + " ms");
    }
    times = new long[most];
    this.withinMs = withinMs;
    withinNanos = TimeUnit.MILLISECONDS.toNanos(withinMs);
  }

  /** A budget of {@value #DEFAULT_MOST} restarts in {@value #DEFAULT_WITHIN_MS} ms. */
  public RestartBudget() {
    this(DEFAULT_MOST, DEFAULT_WITHIN_MS);
  }

  /**
   * Takes a restart.
   *
   * @param nanoTime now, as {@link System#nanoTime}
   * @return false when as many as may be were taken within the time; none is taken then
   */
  public synchronized boolean take(final long nanoTime) {
    if (times.length == 0 || (taken >= times.length && nanoTime - times[next] <= withinNanos)) {
      return false;
    }
    times[next] = nanoTime; // in place of the oldest
    next = next + 1 == times.length ? 0 : next + 1;
    taken++;
    return true;
  }

  /** Restarts that were taken since it was made. */
  public synchronized long taken() {
    return taken;
  }

  /** The bound in words, such as {@code 3 restarts in 10000 ms}. */
  @Override
  public String toString() {
    return times.length + (times.length == 1 ? " restart in " : " restarts in ") + withinMs + " ms";
  }
}
