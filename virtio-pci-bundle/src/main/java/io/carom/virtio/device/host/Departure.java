package io.carom.virtio.device.host;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device that is taken out on a thread of its own, with a deadline: what it does meanwhile may
 * hang in a backend.
 */
final class Departure {
  private static final Logger LOG = LoggerFactory.getLogger(Departure.class);

  private final String device;
  private final long deadline;
  private @Nullable Thread thread;

  /** A departure whose time begins now. */
  Departure(final String device, final long timeoutMs) {
    this.device = device;
    deadline = System.nanoTime() + Duration.ofMillis(timeoutMs).toNanos();
  }

  void start(final Runnable work) {
    thread = Thread.ofPlatform().daemon().name("virtio " + device + " departure").start(work);
  }

  /** Waits for its end, or its deadline; then it goes on alone. */
  void await() {
    final Thread working = thread;
    if (working == null) {
      return;
    }
    try {
      if (!working.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
        LOG.warn("{} was not taken out in time, as something in it hangs; it ends alone", device);
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
