package io.carom.machine.bus;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Where accesses to a parked range wait until somebody answers there, or for so long at most. */
final class Gate {
  private static final Duration LONGEST = Duration.ofDays(1); // so that no sum overflows

  private final long deadline;
  private boolean open;

  Gate(final Duration timeout) {
    final Duration bounded = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    deadline = System.nanoTime() + Math.max(0, bounded.toNanos());
  }

  /** Lets all go on: the map has changed. */
  synchronized void open() {
    open = true;
    notifyAll();
  }

  /** Waits; whether the map has changed. */
  synchronized boolean await() {
    while (!open) {
      final long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }
}
