package io.carom.benchmarks.io;

import io.carom.dma.core.swap.Timing;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Virtual time, in nanoseconds: it passes only when somebody says what something took.
 *
 * <p><b>The protocol.</b> One thread drives: the one that made this object. The core's threads run
 * in lock step with it. Each sleeps in {@link #pause} until the driver comes to the moment for
 * which it asked; the driver then wakes it, alone, and goes on once it sleeps again or has ended.
 * Sleepers are woken in the order of their moments, those of one moment in the order of their
 * names. So one thread runs at a time, always in the same order, and what is counted and timed is
 * the same in each run. To unpark a sleeper does nothing: it would run beside the driver.
 *
 * <p>Threads that carry out one swap come and go, and are not waited for: swaps belong to the time
 * before {@link #begin}, from which on all is exact.
 */
public final class VirtualTime implements Timing, AutoCloseable {
  private static final String CORE = "dma-";
  private static final String SWAP = "dma-swap";
  private static final long SECOND = 1_000_000_000;

  /** Of the core's timers: when each of them is due first after {@link #begin}. */
  private static final long TICK_NS = 10_000_000;

  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final Thread driver = Thread.currentThread();
  private final Set<Thread> known = new HashSet<>();
  private final TreeSet<Sleeper> sleepers =
      new TreeSet<>(
          Comparator.comparingLong((Sleeper sleeper) -> sleeper.wakeAt)
              .thenComparing(sleeper -> sleeper.thread.getName())
              .thenComparingLong(sleeper -> sleeper.thread.threadId()));
  private long now;
  private long busy;
  private boolean ended;

  private static final class Sleeper {
    private final Thread thread = Thread.currentThread();
    private long wakeAt;
    private boolean awake;
  }

  /** Begins at 0; the calling thread drives. */
  public VirtualTime() {}

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  /** Time that the driving thread has spent, in nanoseconds; waiting is not spending. */
  public synchronized long busyNanos() {
    return busy;
  }

  /** The calling thread was busy for so long. */
  public synchronized void spend(final long nanos) {
    now += nanos;
    if (Thread.currentThread().equals(driver)) {
      busy += nanos;
    }
  }

  @Override
  public void pause(final long nanos) {
    if (Thread.currentThread().equals(driver)) {
      advance(nanos);
    } else {
      sleep(Math.max(1, nanos));
    }
  }

  private synchronized void sleep(final long nanos) {
    final Sleeper self = new Sleeper();
    self.wakeAt = now + nanos;
    known.add(self.thread);
    sleepers.add(self);
    notifyAll();
    try {
      while (!self.awake && !ended) {
        wait();
      }
    } catch (final InterruptedException e) {
      sleepers.remove(self);
      Thread.currentThread().interrupt();
    }
  }

  /** Time ends: whoever sleeps wakes, and nobody sleeps any more. For cores that are closed. */
  @Override
  public synchronized void close() {
    ended = true;
    notifyAll();
  }

  /** Lets so much time pass; for the driver. */
  public void advance(final long nanos) {
    advanceTo(nanoTime() + nanos);
  }

  /** Lets time pass up to a moment, or wakes who is due where it has passed; for the driver. */
  public synchronized void advanceTo(final long moment) {
    while (!sleepers.isEmpty() && sleepers.first().wakeAt <= Math.max(moment, now)) {
      final Sleeper next = sleepers.removeFirst();
      now = Math.max(now, next.wakeAt);
      next.awake = true;
      notifyAll();
      settle();
    }
    now = Math.max(now, moment);
  }

  /**
   * Begins what is exact: waits until all of the core's threads sleep, then goes on at a full
   * second, a tick before all of them are due.
   */
  public synchronized void begin() {
    for (final Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith(CORE)) {
        known.add(thread);
      }
    }
    settle();
    now = (now / SECOND + 1) * SECOND;
    final Set<Sleeper> all = new HashSet<>(sleepers);
    sleepers.clear();
    for (final Sleeper sleeper : all) {
      sleeper.wakeAt = now + TICK_NS;
      sleepers.add(sleeper);
    }
  }

  /** Waits until every known thread sleeps, or has ended. */
  private void settle() {
    final long deadline = System.nanoTime() + PATIENCE_NS;
    boolean interrupted = false;
    while (!settled()) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("a thread of the core does not come to rest");
      }
      try {
        wait(1); // a thread that ends tells nobody
      } catch (final InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean settled() {
    known.removeIf(thread -> !thread.isAlive());
    for (final Thread thread : known) {
      if (!thread.getName().startsWith(SWAP)
          && sleepers.stream().noneMatch(sleeper -> sleeper.thread.equals(thread))) {
        return false;
      }
    }
    return true;
  }
}
