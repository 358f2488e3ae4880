package io.carom.guest.shim.net;

/**
 * When what found no mapping is tried again: as soon as something was unmapped, or after 1 ms,
 * which doubles to 10 ms as long as nothing can be mapped. Not thread-safe.
 */
final class Backoff {
  private static final long FIRST_NS = 1_000_000;
  private static final long LAST_NS = 10_000_000;

  private boolean waiting;
  private long atNs;
  private long delayNs = FIRST_NS;

  /** Whether something waits for a mapping. */
  boolean waiting() {
    return waiting;
  }

  boolean due(final long nowNs) {
    return !waiting || nowNs - atNs >= 0;
  }

  void failed(final long nowNs) {
    waiting = true;
    atNs = nowNs + delayNs;
    delayNs = Math.min(LAST_NS, 2 * delayNs);
  }

  /** Something was unmapped, which may be what is missing. */
  void freed() {
    waiting = false;
  }

  void succeeded() {
    waiting = false;
    delayNs = FIRST_NS;
  }
}
