package io.carom.virtio.device.type;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Moves data between a device's host side and its queues of mode {@code EVENTS}, on a thread of its
 * own: neither the guest's thread, which rings a doorbell, nor the host's, which has something to
 * say, does more than signal.
 *
 * <p><b>Protocol.</b> Who signals raises {@code signalled}, then unparks; the thread lowers it
 * before it works, and parks only when it is still down. A permit that an unpark left makes the
 * park return, so no signal is lost.
 *
 * <p>Without a thread, for tests, a signal does the work on its caller's; one from within the work
 * makes it go on.
 */
public final class Pump implements AutoCloseable {
  /** What {@link Work#run} returns when only a signal gives it more to do. */
  public static final long IDLE = Long.MAX_VALUE;

  private final Work work;
  private final boolean threaded;
  private volatile boolean signalled;
  private volatile boolean closed;
  private volatile @Nullable Thread thread;
  private boolean working; // without a thread

  /** What is to be done. */
  @FunctionalInterface
  public interface Work {
    /**
     * Does what can be done now.
     *
     * @return nanoseconds after which it is to run again, or {@link #IDLE}
     */
    long run();
  }

  /**
   * A pump that is not started.
   *
   * @param threaded whether it has a thread
   */
  public Pump(final boolean threaded, final Work work) {
    this.threaded = threaded;
    this.work = work;
  }

  /** Starts the thread, if it is to have one. */
  public void start(final String name) {
    if (threaded && thread == null && !closed) {
      thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }
  }

  /** There may be something to do. Any thread; takes no lock and does not wait. */
  public void signal() {
    signalled = true;
    if (threaded) {
      LockSupport.unpark(thread);
    } else {
      workHere();
    }
  }

  private void workHere() {
    if (working || closed) {
      return;
    }
    working = true;
    try {
      while (signalled) {
        signalled = false;
        work.run();
      }
    } finally {
      working = false;
    }
  }

  private void run() {
    while (!closed) {
      signalled = false;
      final long wait = work.run();
      if (signalled || closed) {
        continue;
      }
      if (wait == IDLE) {
        LockSupport.park(this);
      } else if (wait > 0) {
        LockSupport.parkNanos(this, wait);
      }
    }
  }

  /** Ends the thread, after what it has in hand. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
