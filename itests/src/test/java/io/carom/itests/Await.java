package io.carom.itests;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Waits for what must come; when it does not, the test fails saying what was missing. */
final class Await {
  /** Far more than anything takes: a limit against hanging, nothing that is measured. */
  static final Duration LIMIT = Duration.ofSeconds(60);

  private static final long POLL_MS = 2;

  private Await() {}

  /** Waits until a condition holds. */
  static void until(final String what, final Callable<Boolean> condition) throws Exception {
    final long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited " + LIMIT.toSeconds() + " s in vain until " + what);
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MS);
    }
  }
}
