package io.carom.guest.shim.console;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.virtio.VirtQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The two queues of one port number, which stay while ports come and go.
 *
 * <p>Receiving is the interrupt thread's. Who transmits holds the lock, which nobody else waits for
 * without a limit; its interrupt wakes whoever waits for a free buffer, and takes no lock.
 */
final class PortQueues {
  private static final int RECEIVE_BUFFERS = 4;
  private static final int RECEIVE_BYTES = 512;
  private static final int TRANSMIT_BUFFERS = 4;
  private static final int TRANSMIT_BYTES = 1024;
  private static final long POLL_NS = 50_000_000L;

  private final ReceiveBuffers receive;
  private final TransmitBuffers transmit;
  private final ReentrantLock sending = new ReentrantLock();
  private volatile @Nullable Thread waiter;
  private volatile boolean live;
  private boolean posted; // of the interrupt thread, or of the work thread while it is stopped

  /** Allocates the buffers; throws {@code DmaMemoryException} and keeps nothing without memory. */
  PortQueues(final VirtQueue receive, final VirtQueue transmit, final DmaDevice dma) {
    this.receive = new ReceiveBuffers(receive, dma, RECEIVE_BUFFERS, RECEIVE_BYTES);
    try {
      this.transmit = new TransmitBuffers(transmit, dma, TRANSMIT_BUFFERS, TRANSMIT_BYTES);
    } catch (final DmaMemoryException e) {
      this.receive.free();
      throw e;
    }
  }

  /** The rings are as new, and the device is started. */
  void restart() {
    posted = false;
    transmit.reset();
    live = true;
  }

  /** Nobody may touch the rings from now on; returns when nobody does. */
  @SuppressWarnings("LockNotBeforeTry") // it is only passed through
  void stop() {
    live = false;
    wake();
    sending.lock(); // whoever sends leaves soon, as it looks at `live`
    sending.unlock();
  }

  /** Gives the device buffers to write to, when there is a port for the first time. */
  void post() {
    if (!posted) {
      posted = true;
      receive.post();
      receive.show();
    }
  }

  /**
   * Reads what has come, as far as there is room for it.
   *
   * @return whether to come again: more may be there, for which no interrupt will come
   */
  boolean drain(final InputBuffer into) {
    if (!posted) {
      return false;
    }
    boolean read = false;
    while (into.room() >= RECEIVE_BYTES && receive.read(into::put)) {
      read = true;
    }
    if (read) {
      receive.queue().publish();
    }
    // without room the device gets no buffers back; whoever reads wakes us
    return into.room() >= RECEIVE_BYTES && receive.queue().enableInterrupts();
  }

  /** What the device did wrong on either queue, or null. */
  @Nullable String violation() {
    return receive.queue().violation();
  }

  /** The transmit queue's interrupt. */
  void wake() {
    final Thread waiting = waiter;
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }

  /**
   * Hands bytes to the device, and waits while all buffers are with it.
   *
   * @param broken takes what the device did wrong
   * @return how many it was handed in the time; -1 when the queue was stopped before the first
   */
  int send(
      final byte[] from,
      final int offset,
      final int length,
      final long nanos,
      final Consumer<String> broken)
      throws InterruptedException {
    final long deadline = System.nanoTime() + nanos;
    if (!sending.tryLock(nanos, TimeUnit.NANOSECONDS)) {
      return 0;
    }
    waiter = Thread.currentThread();
    try {
      int done = 0;
      while (done < length) {
        if (!live) {
          return done == 0 ? -1 : done;
        }
        transmit.reap();
        if (transmit.ready()) {
          done += transmit.send(from, offset + done, length - done);
          continue;
        }
        final String violation = transmit.queue().violation();
        if (violation != null) {
          broken.accept(violation);
          return done == 0 ? -1 : done;
        }
        final long left = deadline - System.nanoTime();
        if (left <= 0) {
          return done;
        }
        if (!transmit.queue().enableInterrupts()) {
          LockSupport.parkNanos(this, Math.min(left, POLL_NS));
        }
        transmit.queue().disableInterrupts();
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      return done;
    } finally {
      waiter = null;
      sending.unlock();
    }
  }

  void free() {
    receive.free();
    transmit.free();
  }
}
