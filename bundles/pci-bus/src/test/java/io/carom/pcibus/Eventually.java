package io.carom.pcibus;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits of tests: as long as it takes; a test's own timeout is what ends one that is in vain. */
public final class Eventually {
  private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);

  private Eventually() {}

  /** Waits until something is so. */
  public static void await(final String what, final BooleanSupplier condition) {
    final long begin = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - begin > LIMIT_NANOS) {
        throw new AssertionError("in vain: " + what);
      }
      LockSupport.parkNanos(100_000);
    }
  }
}
