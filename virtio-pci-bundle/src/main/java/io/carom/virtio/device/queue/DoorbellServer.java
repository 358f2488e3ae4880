package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.concurrent.TimeUnit;

/**
 * Serves a queue inside the doorbell's write, on the guest's thread, as a VMM does that handles the
 * exit before it goes on with the guest: when the write returns, what was available is served.
 *
 * <p><b>Protocol.</b> A doorbell raises {@code kicked}, then takes the turn, and whoever has the
 * turn serves until {@code kicked} stays down. Two that ring at once take turns; the second one
 * finds its request served by the first, or serves it. One that cannot have the turn within {@value
 * #PATIENCE_MS} ms, because a handler hangs, goes on without: its request is not lost, as the one
 * that serves looks at {@code kicked} after it passed the turn, and takes it again. A doorbell that
 * is rung from within, by an interrupt handler on the serving thread, is left to that thread's
 * loop.
 */
public final class DoorbellServer extends TurnServer {
  private static final long PATIENCE_MS = 10_000;

  private volatile boolean kicked;

  /** The server of queue {@code index}; it serves nothing until it is active and started. */
  public DoorbellServer(final int index, final QueueHost host) {
    super(index, host);
  }

  @Override
  public void wake() {
    kicked = true;
    if (mine() || !take(TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS))) {
      return;
    }
    do {
      serveLatched();
    } while (kicked && takeNow());
  }

  private void serveLatched() {
    try {
      final BusSession bus = session();
      while (kicked) {
        kicked = false;
        if (bus != null) {
          drain(bus);
        }
      }
    } finally {
      pass();
    }
  }

  @Override
  void forget() {
    kicked = false;
  }
}
