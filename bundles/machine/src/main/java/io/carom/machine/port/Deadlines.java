package io.carom.machine.port;

import java.time.Duration;

/** Points in time on the clock of {@link System#nanoTime()}. */
final class Deadlines {
  private static final Duration LONGEST = Duration.ofDays(1);

  private Deadlines() {}

  /** The time when a timeout is over; waits of more than a day are cut, so that none overflows. */
  static long after(final Duration timeout) {
    final Duration bounded = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    return System.nanoTime() + Math.max(0, bounded.toNanos());
  }
}
