package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The device's end of one queue: has a ring, takes batches of chains from it, and notifies. On
 * which thread that happens is what the kinds of it differ in.
 *
 * <p><b>Protocol with a reset.</b> A server raises {@code inside}, then asks whether it may serve,
 * then looks which ring it has; whoever stops the device first makes {@link QueueHost#serving}
 * false, then waits until {@code inside} is down. Each writes its own flag before it reads the
 * other's, and all of them are volatile, so either the server sees that it may not, or the other
 * sees it inside. Everything that touches guest memory or interrupts happens inside; hence nothing
 * does after a reset is complete.
 *
 * <p><b>Protocol with a reset of this queue alone.</b> It is the same with the ring in the place of
 * the device's gate: {@link #retire} takes it away, then {@link #awaitOutside} waits with a
 * deadline, or {@link #outside} is asked again later, then {@link #deactivate}. Once outside, no
 * chain of the queue is in flight, as each batch returns what it took, and nothing touches the
 * ring's memory.
 *
 * <p>One thread at a time drains: where several may, the kind sees to it.
 */
public abstract class QueueServer {
  /**
   * Chains taken in one bus section, and at most one notification for them: enough to spread its
   * cost, few enough for the driver to refill the ring while the next ones are served.
   */
  static final int BATCH = 16;

  static final long OUTSIDE_POLL_NANOS = 20_000;

  /** A batch of slow requests ends sooner, so that the first of them need not wait for the last. */
  private static final long BATCH_NANOS = 50_000;

  /** How often the time is looked at, in chains: it costs as much as a chain of the ring. */
  private static final int CLOCK_MASK = 3;

  private final int index;
  private final QueueHost host;
  private final DescriptorChain chain = new DescriptorChain();
  private final LongAdder kicks = new LongAdder();
  private volatile @Nullable Live live;
  private volatile boolean inside;
  private volatile boolean closed;

  /** Whether its code failed: nothing behind what that left in flight may be served before it. */
  private volatile boolean failed;

  private boolean wanted;

  /** The handler that was told that its requests follow; the serving thread's. */
  private @Nullable QueueHandler begun;

  // Written by the serving thread only, read by anyone.
  private final AtomicLong popped = new AtomicLong();
  private final AtomicLong returned = new AtomicLong();
  private final AtomicLong interrupts = new AtomicLong();

  QueueServer(final int index, final QueueHost host) {
    this.index = index;
    this.host = host;
  }

  /** Gives it a ring and what to do with its chains. */
  public final void activate(final VirtQueue queue, final QueueHandler handler) {
    failed = false;
    live = new Live(queue, handler);
  }

  /**
   * Takes the ring away: nothing of it is begun any more. What is being served ends when it is
   * {@link #outside}: whoever serves raises {@code inside} before it looks for the ring.
   */
  public final void retire() {
    live = null;
  }

  /** Forgets ring and doorbells; only while it is {@link #outside} and may not serve. */
  public final void deactivate() {
    live = null;
    forget();
  }

  /** Its ring, or null; the ring's positions stand still while nobody serves. */
  public final @Nullable VirtQueue ring() {
    final Live now = live;
    return now == null ? null : now.queue;
  }

  /** The doorbell: counts and wakes. */
  public final void kick() {
    kicks.increment();
    wake();
  }

  /** Wakes without counting a doorbell. */
  public abstract void wake();

  /**
   * Makes it ready to serve, if it is not yet.
   *
   * @param name of its thread, if it has one
   */
  public abstract void start(String name, Supplier<BusSession> sessions);

  /** Serves what was latched, on this thread, if it waits for that. */
  public void processNow(final BusSession session) {}

  /** Ends it, when it is next outside. No thread is interrupted: that would close files. */
  public final void close() {
    closed = true;
    closing();
  }

  /** Waits for its end after {@link #close}; false when the deadline passed. */
  public abstract boolean join(long deadlineNanos);

  /** Forgets the doorbells that were latched. */
  abstract void forget();

  /** It is closed: whoever sleeps is to look. */
  void closing() {}

  final boolean closed() {
    return closed;
  }

  /** Whether no thread is serving at this moment. */
  public final boolean outside() {
    return !inside;
  }

  /** Waits until it is outside; false when the deadline passed. */
  public final boolean awaitOutside(final long deadlineNanos) {
    while (inside) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        return false;
      }
      LockSupport.parkNanos(OUTSIDE_POLL_NANOS);
    }
    return true;
  }

  /** Chains taken from the ring. */
  public final long popped() {
    return popped.get();
  }

  /** Chains returned. */
  public final long returned() {
    return returned.get();
  }

  /** Doorbells. */
  public final long kicks() {
    return kicks.sum();
  }

  /** Notifications sent. */
  public final long interrupts() {
    return interrupts.get();
  }

  /** It cannot go on. */
  final void broken(final String reason) {
    host.broken(index, reason);
  }

  /** Serves until there is nothing to do, or it may not. */
  final void drain(final BusSession session) {
    boolean more = true;
    while (more) {
      inside = true;
      try {
        more = step(session);
      } finally {
        inside = false;
      }
    }
  }

  /** A batch; if there is no more to do, its handler is told. */
  private boolean step(final BusSession session) {
    boolean more = false;
    try {
      more = batch(session);
    } catch (final RuntimeException | Error e) {
      failed(e);
    }
    if (!more) {
      try {
        turnTo(null);
      } catch (final RuntimeException | Error e) {
        failed(e);
      }
    }
    return more;
  }

  /** A handler threw: the thread must live on, as a device that is reset needs it again. */
  private void failed(final Throwable why) {
    final VirtQueue queue = ring();
    final List<Integer> heads = queue == null ? List.of() : queue.inFlight();
    failed = !heads.isEmpty();
    host.failed(index, heads.isEmpty() ? -1 : heads.getFirst(), why);
  }

  /** Tells handlers that their requests follow, or that there are none for now. */
  private void turnTo(final @Nullable QueueHandler next) {
    final QueueHandler before = begun;
    if (before != next) {
      begun = next;
      if (before != null) {
        before.batchEnds();
      }
      if (next != null) {
        next.batchBegins();
      }
    }
  }

  /** One section; whether there is more to do. */
  private boolean batch(final BusSession session) {
    if (closed || failed || !host.serving()) {
      return false;
    }
    // Only now: a ring read before that answer could be one of before a reset and a new start.
    final Live now = live;
    if (now == null) {
      return false;
    }
    turnTo(now.handler); // between two batches the queue may have been reset and set up again
    final long version = session.begin();
    if (version < 0) {
      return false; // revoked: the device is gone or was taken over
    }
    String error = null;
    boolean more = false;
    wanted = false;
    try {
      now.queue.enter(session, version);
      now.queue.disableNotifications();
      more = serve(session, now.queue, now.handler, chain);
    } catch (final QueueException e) {
      error = e.revoked() ? null : e.getMessage();
    } finally {
      session.end();
    }
    if (wanted && host.notifyUsed(index)) {
      count(interrupts, 1);
    }
    if (error != null) {
      broken(error);
      return false;
    }
    return more;
  }

  /**
   * Takes and returns chains, inside a section: what a batch consists of.
   *
   * @param chain to be used for each
   * @return whether there is more to do
   */
  boolean serve(
      final BusSession session,
      final VirtQueue queue,
      final QueueHandler handler,
      final DescriptorChain chain)
      throws QueueException {
    final long start = System.nanoTime();
    final boolean each = handler.returnsEach();
    boolean full = false;
    boolean held = false;
    int taken = 0;
    int done = 0;
    try {
      while (!full && !queue.over() && queue.pop(session, chain)) {
        taken++;
        handler.handle(chain);
        if (handler.holds()) {
          held = true;
          taken--;
          queue.rewind(1);
          break;
        }
        queue.push(chain);
        done++;
        if (each) {
          session.settled();
          wanted |= queue.publish();
        }
        full =
            done == BATCH || ((done & CLOCK_MASK) == 0 && System.nanoTime() - start > BATCH_NANOS);
      }
    } finally {
      // Requests that are complete are returned even when a later one breaks the queue.
      publish(session, queue, taken, done);
    }
    return !held && !queue.over() && (full || queue.enableNotifications());
  }

  /** Publishes what was returned, and counts. */
  final void publish(
      final BusSession session, final VirtQueue queue, final int taken, final int done) {
    count(popped, taken);
    count(returned, done);
    session.settled(); // once published, the buffers are the driver's
    wanted |= queue.publish();
  }

  private static void count(final AtomicLong counter, final long more) {
    counter.setRelease(counter.getPlain() + more); // one writer
  }

  private record Live(VirtQueue queue, QueueHandler handler) {}
}
