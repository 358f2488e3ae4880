package io.carom.virtio.device.type;

import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What goes wrong on one device, in the log: at most one line a second, as a guest can cause any
 * number of errors. Thread-safe.
 */
public final class ErrorLog {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorLog.class);
  private static final long INTERVAL_NANOS = 1_000_000_000L;

  private final String device;
  private final LongSupplier nanoClock;
  private long nextNanos;
  private long dropped;

  /** The log of a device. */
  public ErrorLog(final String device, final LongSupplier nanoClock) {
    this.device = device;
    this.nanoClock = nanoClock;
    nextNanos = nanoClock.getAsLong();
  }

  /** Logs a line in any case: for what cannot happen often. The cause's stack goes to debug. */
  public void always(final String line, final Throwable cause) {
    LOG.warn("{}: {}", device, line);
    LOG.debug("{}: {}", device, line, cause);
  }

  /** Logs a line, or counts it as dropped. */
  public void report(final String line) {
    final long before;
    synchronized (this) {
      final long now = nanoClock.getAsLong();
      if (now - nextNanos < 0) {
        dropped++;
        return;
      }
      nextNanos = now + INTERVAL_NANOS;
      before = dropped;
      dropped = 0;
    }
    if (before == 0) {
      LOG.warn("{}: {}", device, line);
    } else {
      LOG.warn("{}: {} ({} errors before it were not logged)", device, line, before);
    }
  }
}
