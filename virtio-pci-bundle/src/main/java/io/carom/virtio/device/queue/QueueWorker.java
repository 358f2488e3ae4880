package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves one queue: latches doorbells, takes batches of chains, and notifies.
 *
 * <p><b>Protocol with a reset.</b> A worker raises {@code inside}, then asks whether it may serve,
 * then looks which ring it has; whoever stops the device first makes {@link QueueHost#serving}
 * false, then waits until {@code inside} is down. Each writes its own flag before it reads the
 * other's, and all of them are volatile, so either the worker sees that it may not, or the other
 * sees it inside. Everything that touches guest memory or interrupts happens inside; hence nothing
 * does after a reset is complete.
 *
 * <p><b>Protocol with a doorbell.</b> It raises {@code kicked}, then wakes the thread if {@code
 * parked} is up; the thread raises {@code parked}, then looks at {@code kicked} once more before it
 * sleeps. A doorbell that comes while the device may not serve is dropped by the caller.
 *
 * <p>Without a thread ({@link #processNow}) the same steps run on the caller's, for tests.
 */
public final class QueueWorker {
  /**
   * Chains taken in one bus section, and at most one notification for them: enough to spread its
   * cost, few enough for the driver to refill the ring while the next ones are served.
   */
  static final int BATCH = 16;

  /** A batch of slow requests ends sooner, so that the first of them need not wait for the last. */
  private static final long BATCH_NANOS = 50_000;

  /** How often the time is looked at, in chains: it costs as much as a chain of the ring. */
  private static final int CLOCK_MASK = 3;

  private static final long OUTSIDE_POLL_NANOS = 20_000;

  private final int index;
  private final QueueHost host;
  private final DescriptorChain chain = new DescriptorChain();
  private final LongAdder kicks = new LongAdder();
  private volatile @Nullable Live live;
  private volatile boolean inside;
  private volatile boolean kicked;
  private volatile boolean parked;
  private volatile boolean closed;
  private volatile @Nullable Thread thread;
  private boolean wanted;
  // Written by the serving thread only, read by anyone.
  private final AtomicLong popped = new AtomicLong();
  private final AtomicLong returned = new AtomicLong();
  private final AtomicLong interrupts = new AtomicLong();

  /** The worker of queue {@code index}; it serves nothing until it is {@link #activate}d. */
  public QueueWorker(final int index, final QueueHost host) {
    this.index = index;
    this.host = host;
  }

  /** Gives it a ring and what to do with its chains. */
  public void activate(final VirtQueue queue, final QueueHandler handler) {
    live = new Live(queue, handler);
  }

  /** Takes the ring away; only while it is {@link #outside} and may not serve. */
  public void deactivate() {
    live = null;
    kicked = false;
  }

  /** The doorbell: latches and wakes. */
  public void kick() {
    kicks.increment();
    wake();
  }

  /** Wakes without counting a doorbell. */
  public void wake() {
    kicked = true;
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Whether no thread is serving at this moment. */
  public boolean outside() {
    return !inside;
  }

  /** Waits until it is outside; false when the deadline passed. */
  public boolean awaitOutside(final long deadlineNanos) {
    while (inside) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        return false;
      }
      LockSupport.parkNanos(OUTSIDE_POLL_NANOS);
    }
    return true;
  }

  /**
   * Starts the thread, if there is none yet.
   *
   * @param spinNanos how long it looks for a doorbell before it parks
   */
  public void start(final String name, final Supplier<BusSession> sessions, final long spinNanos) {
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name(name).start(() -> run(sessions, spinNanos));
    }
  }

  /** Ends the thread, when it is next outside. It is never interrupted: that would close files. */
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  /** Waits for the end of the thread after {@link #close}; false when the deadline passed. */
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

  /** Serves what was latched, on this thread. Only for a worker that was not started. */
  public void processNow(final BusSession session) {
    if (kicked) {
      kicked = false;
      drain(session);
    }
  }

  /** Chains taken from the ring. */
  public long popped() {
    return popped.get();
  }

  /** Chains returned. */
  public long returned() {
    return returned.get();
  }

  /** Doorbells. */
  public long kicks() {
    return kicks.sum();
  }

  /** Notifications sent. */
  public long interrupts() {
    return interrupts.get();
  }

  private void run(final Supplier<BusSession> sessions, final long spinNanos) {
    try (BusSession session = sessions.get()) {
      while (!closed) {
        if (kicked) {
          kicked = false;
          drain(session);
        } else if (!spin(spinNanos)) {
          parked = true;
          if (!kicked && !closed) {
            LockSupport.park(this);
          }
          parked = false;
        }
      }
    } catch (final RuntimeException e) {
      host.broken(index, "its thread ended: " + e); // the port gave or took back no session
    }
  }

  /** Looks for a doorbell for a while; a busy driver's next one comes sooner than a wake-up. */
  private boolean spin(final long spinNanos) {
    final long start = System.nanoTime();
    while (!kicked && !closed) {
      if (System.nanoTime() - start >= spinNanos) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  private void drain(final BusSession session) {
    boolean more = true;
    while (more && !closed) {
      inside = true;
      try {
        more = batch(session);
      } catch (final RuntimeException | Error e) {
        // the thread must live on: a device that is reset needs it again
        host.broken(index, "an internal error: " + e);
        more = false;
      } finally {
        inside = false;
      }
    }
  }

  /** One section; whether there is more to do. */
  private boolean batch(final BusSession session) {
    if (!host.serving()) {
      return false;
    }
    // Only now: a ring read before that answer could be one of before a reset and a new start.
    final Live now = live;
    if (now == null) {
      return false;
    }
    final long version = session.begin();
    if (version < 0) {
      return false; // revoked: the device is gone or was taken over
    }
    String error = null;
    boolean more = false;
    wanted = false;
    try {
      more = serve(now, session, version);
    } catch (final QueueException e) {
      error = e.getMessage();
    } finally {
      session.end();
    }
    if (wanted && host.notifyUsed(index)) {
      count(interrupts, 1);
    }
    if (error != null) {
      host.broken(index, error);
      return false;
    }
    return more;
  }

  private boolean serve(final Live now, final BusSession session, final long version)
      throws QueueException {
    final VirtQueue queue = now.queue;
    queue.enter(session, version);
    queue.disableNotifications();
    final long start = System.nanoTime();
    boolean full = false;
    int taken = 0;
    int done = 0;
    try {
      while (!full && queue.pop(session, chain)) {
        taken++;
        now.handler.handle(chain);
        queue.push(chain);
        done++;
        full =
            done == BATCH || ((done & CLOCK_MASK) == 0 && System.nanoTime() - start > BATCH_NANOS);
      }
    } finally {
      // Requests that are complete are returned even when a later one breaks the queue.
      count(popped, taken);
      count(returned, done);
      session.settled(); // once published, the buffers are the driver's
      wanted = queue.publish();
    }
    return full || queue.enableNotifications();
  }

  private static void count(final AtomicLong counter, final long more) {
    counter.setRelease(counter.getPlain() + more); // one writer
  }

  private record Live(VirtQueue queue, QueueHandler handler) {}
}
