package io.carom.guest.shim.net;

import io.carom.guest.shim.block.KernelClock;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A receive and a transmit queue, and the thread that serves them as the kernel's softirq does:
 * polls while there is work, and asks for interrupts before it sleeps.
 *
 * <p><b>Protocol with an interrupt.</b> It raises {@code woken}, then wakes the thread if {@code
 * parked} is up; the thread raises {@code parked}, asks the queues for interrupts and looks whether
 * something came meanwhile, then looks at {@code woken} once more.
 *
 * <p>The thread ends for a reset, and another one is started afterwards: the queues are the work
 * thread's in between.
 */
final class QueuePair {
  /** A device that has taken no packet for so long, having some, is reset. */
  static final long TX_TIMEOUT_NS = 5_000_000_000L;

  private static final int BUDGET = 64;
  private static final long RETRY_NS = 1_000_000;
  private static final long WATCH_NS = 500_000_000;

  private final String name;
  private final int number;
  private final RxRing rx;
  private final TxRing tx;
  private final Packet packet;
  private final KernelClock clock;
  private final BiConsumer<QueuePair, Packet> received;
  private final Consumer<String> broken;
  private final NetStatistics statistics;
  private volatile boolean stopped;
  private volatile boolean woken;
  private volatile boolean parked;
  private volatile @Nullable Thread thread;

  QueuePair(
      final String name,
      final int number,
      final RxRing rx,
      final TxRing tx,
      final int mostFrameBytes,
      final KernelClock clock,
      final NetStatistics statistics,
      final BiConsumer<QueuePair, Packet> received,
      final Consumer<String> broken) {
    this.name = name;
    this.number = number;
    this.rx = rx;
    this.tx = tx;
    packet = new Packet(mostFrameBytes);
    this.clock = clock;
    this.statistics = statistics;
    this.received = received;
    this.broken = broken;
  }

  int number() {
    return number;
  }

  RxRing rx() {
    return rx;
  }

  TxRing tx() {
    return tx;
  }

  /** Sends a packet; waits for room as long as it may. */
  boolean send(final Packet of, final long waitNs) {
    final boolean sent = tx.send(of, waitNs, clock.nanoTime());
    if (tx.stalled()) {
      wake(); // the thread tries again
    }
    return sent;
  }

  /** An interrupt, or something else to look at. Any thread. */
  void wake() {
    woken = true;
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Gives the device its buffers; before the thread is started, or it is started at all. */
  void fill() {
    rx.fill(clock.nanoTime());
  }

  void start() {
    stopped = false;
    tx.open(clock.nanoTime());
    final Thread started = new Thread(this::run, name);
    started.setDaemon(true);
    thread = started;
    started.start();
  }

  /**
   * Ends the thread; nobody touches the queues afterwards.
   *
   * @return false when that did not happen in time
   */
  boolean stop(final Duration timeout) {
    stopped = true;
    final boolean closed = tx.close(timeout.toNanos());
    final Thread running = thread;
    if (running == null || running == Thread.currentThread()) {
      return closed;
    }
    LockSupport.unpark(running);
    try {
      return running.join(timeout) && closed;
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void run() {
    try {
      while (!stopped) {
        woken = false;
        if (!work()) {
          sleep();
        }
      }
    } catch (final RuntimeException e) {
      broken.accept(name + " failed: " + e); // the DMA core's rules were broken, or it is gone
    }
  }

  /** One round; whether there may be more to do at once. */
  private boolean work() {
    final long now = clock.nanoTime();
    boolean progress = false;
    for (int i = 0; i < BUDGET && !stopped; i++) {
      final RxRing.Taken taken = rx.take(packet);
      if (taken == RxRing.Taken.NONE) {
        break;
      }
      progress = true;
      if (taken == RxRing.Taken.ERROR) {
        statistics.rxErrors.increment();
      } else {
        statistics.rxPackets.increment();
        statistics.rxBytes.add(packet.length);
        received.accept(this, packet);
      }
    }
    if (stopped) {
      return false;
    }
    rx.fill(now);
    progress |= tx.work(now);
    final String violation =
        rx.violation() == null ? tx.violation(now, TX_TIMEOUT_NS) : rx.violation();
    if (violation != null) {
      broken.accept(violation);
      stopped = true; // until it is started anew
    }
    return progress;
  }

  private void sleep() {
    parked = true;
    final boolean more = rx.arm() | tx.arm();
    if (!more && !woken && !stopped) {
      // bounded, as a device that takes nothing sends no interrupt either
      LockSupport.parkNanos(this, rx.stalled() || tx.stalled() ? RETRY_NS : WATCH_NS);
    }
    parked = false;
    if (!stopped) {
      rx.disarm();
      tx.disarm();
    }
  }
}
