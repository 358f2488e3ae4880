package io.carom.pcibus;

import io.carom.pcibus.function.PluggedFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends all functions at once, so that those that hang cost no more than one of them. Threads that
 * are late are left behind; they end by themselves.
 */
final class BusEnd {
  private static final Logger LOG = LoggerFactory.getLogger(BusEnd.class);

  /** What the end of a function takes besides the waits that it is allowed. */
  private static final Duration SLACK = Duration.ofMillis(900);

  private BusEnd() {}

  /** What is done to one function. */
  interface End {
    void of(PluggedFunction function);
  }

  /** Ends functions, waiting for that for so long and a little more. */
  static void all(final List<PluggedFunction> functions, final Duration timeout, final End end) {
    final long deadline = System.nanoTime() + timeout.plus(SLACK).toNanos();
    final List<Thread> threads = new ArrayList<>();
    for (final PluggedFunction function : functions) {
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .name("carom-pci end of " + function.label())
              .inheritInheritableThreadLocals(false)
              .start(() -> end.of(function)));
    }
    try {
      for (final Thread thread : threads) {
        if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
          LOG.warn("the {} has not come in time", thread.getName());
        }
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
