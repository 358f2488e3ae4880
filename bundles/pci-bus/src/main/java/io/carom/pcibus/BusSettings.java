package io.carom.pcibus;

import java.time.Duration;

/**
 * What can be configured.
 *
 * @param absent how long a slot is kept for a function that is away
 * @param detach how long a function that goes is waited for: its accesses, the guest's accesses
 *     inside it, and, at least half of that time, what it does when it is told
 */
record BusSettings(Duration absent, Duration detach) {
  static final int DEFAULT_ABSENT_TIMEOUT_MS = 5000;
  static final int DEFAULT_DETACH_TIMEOUT_MS = 2000;
  private static final int LONGEST_MS = 3_600_000;

  static final BusSettings DEFAULT = of(DEFAULT_ABSENT_TIMEOUT_MS, DEFAULT_DETACH_TIMEOUT_MS);

  /**
   * Reads a configuration.
   *
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  static BusSettings of(final int absentMs, final int detachMs) {
    return new BusSettings(
        millis("absentTimeoutMs", absentMs), millis("detachTimeoutMs", detachMs));
  }

  private static Duration millis(final String name, final int value) {
    if (value < 1 || value > LONGEST_MS) {
      throw new IllegalArgumentException(
          "io.carom.pcibus: " + name + "=" + value + " is not in 1.." + LONGEST_MS);
    }
    return Duration.ofMillis(value);
  }
}
