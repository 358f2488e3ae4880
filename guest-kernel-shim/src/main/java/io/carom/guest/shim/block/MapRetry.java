package io.carom.guest.shim.block;

/**
 * When a request that found no mapping is tried again: as soon as a completion has freed something,
 * or after 1 ms, which doubles to 10 ms as long as nothing can be mapped. The owner's.
 */
final class MapRetry {
  static final long FIRST_NS = 1_000_000;
  static final long LAST_NS = 10_000_000;

  private boolean stalled;
  private boolean freed;
  private boolean failing;
  private long atNs;
  private long delayNs = FIRST_NS;

  /** Whether a request waits for a mapping. */
  boolean stalled() {
    return stalled;
  }

  /** When it is tried again at the latest. */
  long atNs() {
    return atNs;
  }

  /** Whether the last map failed: the next one is a retry. */
  boolean failing() {
    return failing;
  }

  boolean due(final KernelClock clock) {
    return !stalled || freed || clock.nanoTime() - atNs >= 0;
  }

  void clear() {
    stalled = false;
  }

  void failed(final long nowNs) {
    stalled = true;
    failing = true;
    freed = false;
    atNs = nowNs + delayNs;
    delayNs = Math.min(LAST_NS, 2 * delayNs);
  }

  void succeeded() {
    failing = false;
    delayNs = FIRST_NS;
  }

  /** Something was unmapped. */
  void freed() {
    freed = true;
  }
}
