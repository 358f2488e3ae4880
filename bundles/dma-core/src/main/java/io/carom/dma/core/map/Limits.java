package io.carom.dma.core.map;

/** What the core's configuration says about single maps; may change at any time. */
public final class Limits {
  private volatile long throttleNs = 1_000_000_000;
  private volatile int reachablePercent = 25;

  /** The defaults. */
  public Limits() {}

  /** How long a map that may sleep waits for a throttled pool, nanoseconds. */
  public long throttleNs() {
    return throttleNs;
  }

  /** The share of a pool's slots that drivers may hold as I/O buffers, 0..100. */
  public int reachablePercent() {
    return reachablePercent;
  }

  /** Changes both. */
  public void set(final long newThrottleNs, final int newReachablePercent) {
    throttleNs = newThrottleNs;
    reachablePercent = newReachablePercent;
  }
}
