package io.carom.benchmarks.io;

import io.carom.dma.core.swap.Timing;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

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
 * before {@link #begin}, from which on all is exact. Nor are those that call a strategy for a
 * thread of the core, which sleeps no sooner than they have answered.
 */
public final class VirtualTime implements Timing, AutoCloseable {
  private static final String CORE = "dma-";
  private static final String SWAP = "dma-swap";
  private static final String CALL = "dma-strategy";
  private static final long SECOND = 1_000_000_000;

  /** Of the core's timers: when each of them is due first after {@link #begin}. */
  private static final long TICK_NS = 10_000_000;

  private static final long LOOK_NS = 1_000_000;
  private static final long ENDED_NS = 1_000_000;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final Thread driver = Thread.currentThread();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition slept = lock.newCondition();
  private final Set<Thread> known = new HashSet<>();
  private final TreeSet<Sleeper> sleepers =
      new TreeSet<>(
          Comparator.comparingLong((Sleeper sleeper) -> sleeper.wakeAt)
              .thenComparing(sleeper -> sleeper.thread.getName())
              .thenComparingLong(sleeper -> sleeper.thread.threadId()));
  private final Set<Thread> others = coreThreads(); // of cores that live in another time
  private long now;
  private long busy;
  private boolean ended;

  /** One that sleeps; guarded by the lock. */
  private static final class Sleeper {
    private final Thread thread = Thread.currentThread();
    private final Condition due;
    private long wakeAt;
    private boolean awake;

    Sleeper(final Condition due) {
      this.due = due;
    }
  }

  /** Begins at 0; the calling thread drives. Made before the core whose threads live in it. */
  public VirtualTime() {}

  @Override
  public long nanoTime() {
    lock.lock();
    try {
      return now;
    } finally {
      lock.unlock();
    }
  }

  /** Time that the driving thread has spent, in nanoseconds; waiting is not spending. */
  public long busyNanos() {
    lock.lock();
    try {
      return busy;
    } finally {
      lock.unlock();
    }
  }

  /** The calling thread was busy for so long. */
  public void spend(final long nanos) {
    lock.lock();
    try {
      now += nanos;
      if (Thread.currentThread().equals(driver)) {
        busy += nanos;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void pause(final long nanos) {
    if (Thread.currentThread().equals(driver)) {
      advance(nanos);
    } else if (!sleep(Math.max(1, nanos))) {
      LockSupport.parkNanos(ENDED_NS); // until its loop sees that it is over too
    }
  }

  /** Sleeps; false when time has ended. */
  private boolean sleep(final long nanos) {
    lock.lock();
    try {
      final Sleeper self = new Sleeper(lock.newCondition());
      self.wakeAt = now + nanos;
      known.add(self.thread);
      sleepers.add(self);
      slept.signal();
      try {
        while (!self.awake && !ended) {
          self.due.await();
        }
      } catch (final InterruptedException e) {
        sleepers.remove(self);
        Thread.currentThread().interrupt();
      }
      return !ended;
    } finally {
      lock.unlock();
    }
  }

  /** Time ends: whoever sleeps wakes, and nobody sleeps any more. For cores that are closed. */
  @Override
  public void close() {
    lock.lock();
    try {
      ended = true;
      sleepers.forEach(sleeper -> sleeper.due.signal());
    } finally {
      lock.unlock();
    }
  }

  /** Lets so much time pass; for the driver. */
  public void advance(final long nanos) {
    advanceTo(nanoTime() + nanos);
  }

  /** Lets time pass up to a moment, or wakes who is due where it has passed; for the driver. */
  public void advanceTo(final long moment) {
    lock.lock();
    try {
      while (!sleepers.isEmpty() && sleepers.first().wakeAt <= Math.max(moment, now)) {
        final Sleeper next = sleepers.removeFirst();
        now = Math.max(now, next.wakeAt);
        next.awake = true;
        next.due.signal();
        settle();
      }
      now = Math.max(now, moment);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins what is exact: waits until all of the core's threads sleep, then goes on at a full
   * second, a tick before all of them are due.
   */
  public void begin() {
    lock.lock();
    try {
      known.addAll(coreThreads());
      known.removeAll(others);
      settle();
      now = (now / SECOND + 1) * SECOND;
      final Set<Sleeper> all = new HashSet<>(sleepers);
      sleepers.clear();
      for (final Sleeper sleeper : all) {
        sleeper.wakeAt = now + TICK_NS;
        sleepers.add(sleeper);
      }
    } finally {
      lock.unlock();
    }
  }

  private static Set<Thread> coreThreads() {
    final Set<Thread> threads = new HashSet<>();
    for (final Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith(CORE)) {
        threads.add(thread);
      }
    }
    return threads;
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
        slept.awaitNanos(LOOK_NS); // a thread that ends tells nobody
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
          && !thread.getName().startsWith(CALL)
          && sleepers.stream().noneMatch(sleeper -> sleeper.thread.equals(thread))) {
        return false;
      }
    }
    return true;
  }
}
