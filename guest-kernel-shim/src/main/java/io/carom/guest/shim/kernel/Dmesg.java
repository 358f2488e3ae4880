package io.carom.guest.shim.kernel;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's log: the last lines, each with the time since boot, as {@code dmesg} prints them.
 * Thread-safe; never called on a request's path.
 */
public final class Dmesg {
  /** Most lines kept; older ones are dropped. */
  public static final int CAPACITY = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(Dmesg.class);

  private final LongSupplier nanoTime;
  private final long bootNs;
  private final ArrayDeque<String> lines = new ArrayDeque<>();

  /** A log whose time starts now. */
  public Dmesg(final LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.bootNs = nanoTime.getAsLong();
  }

  /** Adds a line. A line break in the text, such as one in a device's id, becomes a blank. */
  public void log(final String text) {
    final String clean = text.replace('\n', ' ').replace('\r', ' ');
    synchronized (this) {
      // the time is taken under the lock, so that it never runs backwards from line to line
      final double seconds = (nanoTime.getAsLong() - bootNs) / 1e9;
      if (lines.size() == CAPACITY) {
        lines.removeFirst();
      }
      lines.addLast(String.format(Locale.ROOT, "[%12.6f] %s", seconds, clean));
    }
    LOG.debug("{}", clean);
  }

  /** The lines, oldest first. */
  public synchronized List<String> lines() {
    return List.copyOf(lines);
  }
}
