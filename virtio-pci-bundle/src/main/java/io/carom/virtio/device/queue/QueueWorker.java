package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves a queue on a thread of its own, which doorbells wake.
 *
 * <p><b>Protocol with a doorbell.</b> It raises {@code kicked}, then wakes the thread if {@code
 * parked} is up; the thread raises {@code parked}, then looks at {@code kicked} once more before it
 * sleeps. A doorbell that comes while the device may not serve is dropped by the caller.
 *
 * <p>Without a thread ({@link #processNow}) the same steps run on the caller's, for tests.
 */
public final class QueueWorker extends QueueServer {
  private final long spinNanos;
  private volatile boolean kicked;
  private volatile boolean parked;
  private volatile @Nullable Thread thread;

  /** The worker of queue {@code index}; it serves nothing until it is {@link #activate}d. */
  public QueueWorker(final int index, final QueueHost host) {
    this(index, host, 0);
  }

  /**
   * A worker.
   *
   * @param spinNanos how long its thread looks for a doorbell before it parks
   */
  public QueueWorker(final int index, final QueueHost host, final long spinNanos) {
    super(index, host);
    this.spinNanos = spinNanos;
  }

  @Override
  public void wake() {
    kicked = true;
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  @Override
  void forget() {
    kicked = false;
  }

  @Override
  public void start(final String name, final Supplier<BusSession> sessions) {
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).start(() -> run(sessions));
    }
  }

  @Override
  void closing() {
    LockSupport.unpark(thread);
  }

  @Override
  public boolean join(final long deadlineNanos) {
    final Thread running = thread;
    if (running == null || running == Thread.currentThread()) {
      return true;
    }
    while (running.isAlive()) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        return false;
      }
      LockSupport.parkNanos(OUTSIDE_POLL_NANOS);
    }
    return true;
  }

  /** Serves what was latched, on this thread; nothing where a thread of its own does. */
  @Override
  public void processNow(final BusSession session) {
    if (thread == null && kicked) {
      kicked = false;
      drain(session);
    }
  }

  private void run(final Supplier<BusSession> sessions) {
    try (BusSession session = sessions.get()) {
      while (!closed()) {
        if (kicked) {
          kicked = false;
          drain(session);
        } else if (!spin()) {
          parked = true;
          if (!kicked && !closed()) {
            LockSupport.park(this);
          }
          parked = false;
        }
      }
    } catch (final RuntimeException e) {
      broken("its thread ended: " + e); // the port gave or took back no session
    }
  }

  /** Looks for a doorbell for a while; a busy driver's next one comes sooner than a wake-up. */
  private boolean spin() {
    final long start = System.nanoTime();
    while (!kicked && !closed()) {
      if (System.nanoTime() - start >= spinNanos) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }
}
