package io.carom.dma.core.pool;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls of strategies by the core's own threads: by those that swap, those that fill pools, and the
 * framework's when it stops a bundle. Such a thread holds locks that others wait for, and may not
 * be lost in a strategy.
 *
 * <p><b>Protocol.</b> The call runs on a thread that can be given up, and the core's thread waits
 * for its end, at most until the watchdog's deadline. What the core changes between two calls of
 * the strategy, such as who owns an extent, the calling thread does in a {@link Call#step}: all of
 * it or, once the call was given up, nothing of it. So when {@link #run} returns, what was done is
 * done, and nothing more will be, however late the strategy returns. A call inside a stripe says so
 * ({@link Call#enter}); the stripe is abandoned when the call is given up, and the lost thread
 * holds it until it returns: that is how the core knows when the extents of the stripe are safe
 * again. An extent that was on its way stays with that stripe.
 *
 * <p>Calls are not nested, and hold no lock of the core but the stripe's.
 */
public final class Outcalls implements AutoCloseable {
  /** Runs every call on the caller's thread: for pools that are made without a core. */
  public static final Outcalls INLINE = new Outcalls(null);

  private static final long DEFAULT_NS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long IDLE_S = 10;

  private final @Nullable ExecutorService threads;
  private volatile long deadlineNs = DEFAULT_NS;

  private Outcalls(final @Nullable ExecutorService threads) {
    this.threads = threads;
  }

  /** With threads that are made when they are needed, and end when they are not. */
  public static Outcalls onThreads() {
    return new Outcalls(
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_S,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> {
              final Thread made = Thread.ofPlatform().daemon().name("dma-strategy").unstarted(task);
              // Not that of a bundle which happens to be the first to need it.
              made.setContextClassLoader(Outcalls.class.getClassLoader());
              return made;
            }));
  }

  /** How long a call may take. */
  public long deadlineNs() {
    return deadlineNs;
  }

  /** Changes how long a call may take. */
  public void deadlineNs(final long value) {
    deadlineNs = value;
  }

  /**
   * Makes a call and waits for its end.
   *
   * @param body the call; it catches what the strategy throws
   * @return null when it ended, else where its thread hangs
   */
  @Nullable Hang run(final Consumer<Call> body) {
    final Call call = new Call();
    final ExecutorService on = threads;
    if (on == null) {
      body.accept(call);
      return null;
    }
    try {
      on.execute(() -> call.make(body));
    } catch (final RejectedExecutionException e) {
      body.accept(call); // the core has stopped, and only what must be ended is
      return null;
    }
    return call.await(deadlineNs) ? null : call.hang();
  }

  /**
   * Makes a call that is in no stripe.
   *
   * @return null when it ended, else where its thread hangs
   */
  public @Nullable String make(final Consumer<Call> body) {
    final Hang hang = run(body);
    return hang == null ? null : hang.where();
  }

  /** Ends the threads, but for those that a strategy does not let go. */
  @Override
  public void close() {
    final ExecutorService on = threads;
    if (on != null) {
      on.shutdown();
    }
  }

  /**
   * A call that was given up.
   *
   * @param stripe the stripe that its thread holds, or null
   * @param begun whether it has begun at all: else it is the machine that is too slow
   * @param where its thread and the innermost frames
   */
  record Hang(@Nullable Stripe stripe, boolean begun, String where) {}

  /** A call, between the thread that makes it and the one that waits for it. */
  public static final class Call {
    private boolean ended; // guarded by this, as the next two
    private boolean givenUp;
    private @Nullable Throwable failure;
    private volatile @Nullable Thread thread;
    private volatile @Nullable Stripe inside;

    private Call() {}

    private void make(final Consumer<Call> body) {
      thread = Thread.currentThread();
      Throwable thrown = null;
      try {
        body.accept(this);
      } catch (final RuntimeException | Error e) {
        thrown = e;
      }
      synchronized (this) {
        ended = true;
        failure = thrown;
        notifyAll();
      }
    }

    /**
     * Does what the core does between two calls of the strategy.
     *
     * @return false, and nothing done, when the call was given up
     */
    public synchronized boolean step(final Runnable change) {
      if (givenUp) {
        return false;
      }
      change.run();
      return true;
    }

    /** The thread is about to call the strategy for a stripe, whose lock it holds. */
    void enter(final Stripe stripe) {
      inside = stripe;
      stripe.enterStrategy();
    }

    /** It is not in the strategy's code any more. */
    void leave(final Stripe stripe) {
      stripe.leaveStrategy();
      inside = null;
    }

    private Hang hang() {
      final Thread in = thread;
      return new Hang(inside, in != null, HungThread.describe(in));
    }

    /** Waits for the end; false when the call is given up. */
    private synchronized boolean await(final long timeoutNs) {
      final long start = System.nanoTime();
      boolean interrupted = false;
      while (!ended && !givenUp) {
        final long left = timeoutNs - (System.nanoTime() - start);
        try {
          if (left <= 0) {
            givenUp = true;
          } else {
            wait(TimeUnit.NANOSECONDS.toMillis(left) + 1); // never 0, which would be for ever
          }
        } catch (final InterruptedException e) {
          interrupted = true; // the strategy has its time all the same
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (failure instanceof final RuntimeException e) {
        throw e; // the core's own: bodies catch what strategies throw
      }
      if (failure instanceof final Error e) {
        throw e;
      }
      return ended;
    }
  }
}
