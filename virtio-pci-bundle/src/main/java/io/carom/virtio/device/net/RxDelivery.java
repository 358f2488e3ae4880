package io.carom.virtio.device.net;

import io.carom.virtio.device.queue.Filler;
import io.carom.virtio.device.type.DeviceLink;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Carries the frames that wait into the driver's buffers, on a thread of the device: so a sender,
 * which may be another device's worker inside its bus section, only copies and wakes.
 *
 * <p><b>Protocol.</b> Who has something to do raises {@code pending}, then wakes the thread if
 * {@code parked} is up; the thread raises {@code parked}, then looks at {@code pending} once more.
 * A queue without buffers is passed over from the try that found none until its doorbell, which a
 * failed filling has asked for: {@code blocked} is set before the try, so that a doorbell during it
 * is not overlooked. After a while it is tried all the same, as the driver may have come back from
 * a suspension, which rings no doorbell.
 *
 * <p>A sender whose frame is to wait for another station says so: {@code holding}. It is tried
 * again after as long a while, should nobody say that the station is back.
 *
 * <p>The gate is held while a queue is filled. Whoever changes which queues are used takes it, and
 * knows then that no buffer of a queue that is given up will still be used.
 */
final class RxDelivery {
  /** Frames of one queue before the next one has its turn. */
  private static final int BUDGET = 64;

  private static final long RETRY_NANOS = 100_000_000;
  private static final long JOIN_MILLIS = 2_000;
  private static final long SETTLE_MILLIS = 100;

  private final RxQueue[] queues;
  private final ReentrantLock gate = new ReentrantLock();
  private volatile boolean pending;
  private volatile boolean parked;
  private volatile boolean closed;
  private volatile boolean controlPending;
  private volatile boolean holding;
  private volatile long heldSince;
  private volatile @Nullable Thread thread;

  RxDelivery(final RxQueue[] queues) {
    this.queues = queues;
  }

  /**
   * Starts the thread, for a device that was plugged in.
   *
   * @param pass carries what there is
   * @param resend has frames sent that were held back
   */
  void start(final String name, final Runnable pass, final Runnable resend) {
    closed = false;
    thread = Thread.ofPlatform().daemon().name(name).start(() -> run(pass, resend));
  }

  /** Ends the thread, and waits for it for a bounded time. */
  void stop() {
    closed = true;
    final Thread running = thread;
    if (running == null || running == Thread.currentThread()) {
      return;
    }
    LockSupport.unpark(running);
    try {
      running.join(JOIN_MILLIS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    thread = null;
  }

  /** There is something to do. */
  void wake() {
    pending = true;
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** The driver has given buffers to a queue. */
  void buffersAdded(final int pair) {
    queues[pair].blocked(false);
    wake();
  }

  /** The driver has sent a request by a queue that is the delivery's to serve. */
  void controlRequested() {
    controlPending = true;
    wake();
  }

  /** A frame to be sent is held back: it is tried again after a while, if not sooner. */
  void hold() {
    heldSince = System.nanoTime();
    holding = true;
    wake();
  }

  /** Runs something while no queue is being filled. */
  void whileIdle(final Runnable change) {
    gate.lock();
    try {
      change.run();
    } finally {
      gate.unlock();
    }
  }

  /** Waits for a filling that is about to end, for a bounded time. */
  void settle() {
    try {
      if (gate.tryLock(SETTLE_MILLIS, TimeUnit.MILLISECONDS)) {
        gate.unlock();
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(final Runnable pass, final Runnable resend) {
    while (!closed) {
      pending = false;
      pass.run();
      if (holding && System.nanoTime() - heldSince >= RETRY_NANOS) {
        holding = false;
        resend.run();
      }
      if (pending || closed) {
        continue;
      }
      parked = true;
      if (!pending && !closed) {
        park();
      }
      parked = false;
    }
  }

  private void park() {
    boolean again = holding;
    for (final RxQueue queue : queues) {
      again |= queue.blocked();
    }
    if (!again) {
      LockSupport.park(this);
      return;
    }
    LockSupport.parkNanos(this, RETRY_NANOS);
    if (!pending) {
      for (final RxQueue queue : queues) {
        queue.blocked(false);
      }
    }
  }

  /** Carries what there is, as far as there are buffers. One thread at a time. */
  void pass(final DeviceLink link, final int controlQueue, final Filler control) {
    if (controlPending) {
      controlPending = false;
      boolean served = true;
      while (served) {
        gate.lock();
        try {
          served = link.fill(controlQueue, control);
        } finally {
          gate.unlock();
        }
      }
    }
    for (int i = 0; i < queues.length; i++) {
      pass(link, 2 * i, queues[i]);
    }
  }

  private void pass(final DeviceLink link, final int number, final RxQueue queue) {
    for (int frames = 0; !queue.blocked() && !queue.backlog().isEmpty(); frames++) {
      if (frames == BUDGET) {
        pending = true;
        return;
      }
      queue.blocked(true);
      queue.begin();
      gate.lock();
      try {
        if (link.fill(number, queue)) {
          queue.delivered();
        }
      } finally {
        gate.unlock();
      }
      if (queue.outcome() != RxQueue.Outcome.NO_BUFFER) {
        queue.blocked(false);
      }
    }
  }
}
