package io.carom.strategies.kit;

import io.carom.dma.core.swap.Timing;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Time that passes only when the test says so: what the core does by the clock happens between two
 * steps of a test, and not while one goes on. So a run can be had again by its seed.
 *
 * <p>The core's threads wait in {@link #pause} until their time has come. The thread that made this
 * object, the test's, does not: whenever it pauses inside the core, time passes.
 */
public final class VirtualTime implements Timing {
  private static final long LONG_AFTER_NS = TimeUnit.HOURS.toNanos(1);
  private static final long LEAST_STEP_NS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long REAL_PAUSE_NS = 20_000;
  private static final String PROJECT = "io.carom.";
  private static final String CORE = "dma-";
  private static final String LENDER = "dma-lender"; // lives by the real clock
  private static final int MORE_THREADS = 64;

  private final Thread driver = Thread.currentThread();
  private final Map<Thread, Long> waiting = new HashMap<>();
  private final Set<Thread> others = Set.copyOf(coreThreads());
  private long now = 1;
  private boolean ended;

  /** Time stands. For the core that is made next: its threads are those that are not there yet. */
  public VirtualTime() {}

  @Override
  public synchronized long nanoTime() {
    return now;
  }

  @Override
  public void pause(final long nanos) {
    if (Thread.currentThread() == driver) {
      advance(nanos);
      LockSupport.parkNanos(REAL_PAUSE_NS);
      return;
    }
    synchronized (this) {
      final Thread me = Thread.currentThread();
      final long deadline = now + nanos;
      waiting.put(me, deadline);
      try {
        while (now < deadline && !ended) {
          wait();
        }
      } catch (final InterruptedException e) {
        me.interrupt();
      } finally {
        waiting.remove(me);
      }
    }
    if (ended) {
      LockSupport.parkNanos(REAL_PAUSE_NS);
    }
  }

  /** Lets time pass and the core's threads do what is due by then; returns when they have. */
  public void pass(final long millis) {
    final long end = nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (nanoTime() < end) {
      advance(nextDeadline(end) - nanoTime());
      World.await(this::quiet, "the core's threads wait again");
    }
  }

  private synchronized long nextDeadline(final long end) {
    long next = end;
    for (final long deadline : waiting.values()) {
      next = Math.min(next, deadline);
    }
    return Math.max(next, Math.min(end, now + LEAST_STEP_NS)); // a drain looks each millisecond
  }

  private synchronized void advance(final long nanos) {
    now += nanos;
    notifyAll();
  }

  /**
   * Whether every thread of the core waits for its time, or has nothing to do. One that has not got
   * to its first pause yet is at work, however long it is kept from it; and so is one that waits
   * amid its work, for a lock or for a call of a strategy: no state of a thread says that what it
   * waits for has come already.
   */
  public synchronized boolean quiet() {
    for (final long deadline : waiting.values()) {
      if (deadline <= now) {
        return false; // woken, and not yet on its way
      }
    }
    return coreThreads().stream()
        .allMatch(t -> waiting.containsKey(t) || others.contains(t) || isIdle(t));
  }

  /** Whether it is an executor's thread without work: nothing of the core is on its stack. */
  private static boolean isIdle(final Thread thread) {
    final Thread.State state = thread.getState();
    return (state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING)
        && Stream.of(thread.getStackTrace())
            .noneMatch(frame -> frame.getClassName().startsWith(PROJECT));
  }

  /** Those that live by this clock. */
  private static List<Thread> coreThreads() {
    final Thread[] threads = new Thread[Thread.activeCount() + MORE_THREADS];
    final int count = Thread.enumerate(threads);
    return Stream.of(threads)
        .limit(count)
        .filter(t -> t.getName().startsWith(CORE) && !t.getName().equals(LENDER))
        .toList();
  }

  /** Every deadline has passed from now on, and the core's threads wait in real time. */
  public synchronized void end() {
    ended = true;
    now += LONG_AFTER_NS;
    notifyAll();
  }
}
