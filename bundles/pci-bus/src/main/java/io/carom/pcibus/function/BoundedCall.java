package io.carom.pcibus.function;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A call into foreign code that may hang: on a thread of its own, so that it costs its deadline and
 * no more. A thread that is left behind ends with its call.
 */
final class BoundedCall {
  private static final Logger LOG = LoggerFactory.getLogger(BoundedCall.class);
  private static final int FRAMES = 24;

  private BoundedCall() {}

  /**
   * Calls.
   *
   * @param label whose code it is
   * @param what it is asked to do, for the log
   * @return whether the call has ended in time
   */
  static boolean run(
      final String label, final String what, final Duration timeout, final Runnable call) {
    final Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("carom-pci " + what + " " + label)
            .inheritInheritableThreadLocals(false)
            .start(call);
    try {
      if (thread.join(timeout)) {
        return true;
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (LOG.isWarnEnabled()) {
      LOG.warn(
          "{}: {} has not ended within {} ms; going on without it:{}",
          label,
          what,
          timeout.toMillis(),
          stack(thread));
    }
    return false;
  }

  private static String stack(final Thread thread) {
    final StringBuilder text = new StringBuilder();
    final StackTraceElement[] frames = thread.getStackTrace();
    for (int i = 0; i < Math.min(frames.length, FRAMES); i++) {
      text.append("\n\tat ").append(frames[i]);
    }
    return text.toString();
  }
}
