package io.carom.benchmarks.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two threads that run loops at the same time. They live as long as the team, so that the stripe of
 * a pool that a thread keeps to is the same in all rounds.
 */
public final class Team implements AutoCloseable {
  /** Threads of a team. */
  public static final int THREADS = 2;

  /** How the names of its threads begin; their number from 0 on follows. */
  public static final String THREAD = "bench-";

  private final List<ExecutorService> threads = new ArrayList<>();

  /** Starts them. */
  public Team() {
    for (int i = 0; i < THREADS; i++) {
      threads.add(
          Executors.newSingleThreadExecutor(
              Thread.ofPlatform().daemon().name(THREAD + i).factory()));
    }
  }

  /**
   * Runs loops, one for each thread, from the moment when all are ready, each for a time.
   *
   * @throws IllegalStateException when a loop threw
   */
  public Stretch run(final long ns, final Loop... loops) throws InterruptedException {
    final AtomicInteger waiting = new AtomicInteger(loops.length);
    final List<Future<Stretch>> running = new ArrayList<>();
    for (int i = 0; i < loops.length; i++) {
      final Loop loop = loops[i];
      running.add(threads.get(i).submit(() -> start(waiting, loop, ns)));
    }
    Stretch sum = new Stretch(0, 0, 0, 0);
    for (final Future<Stretch> one : running) {
      sum = sum.plus(join(one));
    }
    return sum;
  }

  private static Stretch start(final AtomicInteger waiting, final Loop loop, final long ns) {
    waiting.decrementAndGet();
    while (waiting.get() > 0) {
      Thread.yield(); // the other may need this processor to arrive
    }
    return Stretch.time(loop, ns);
  }

  /** Does something on one of the threads, and waits for it. */
  public <T> T call(final int thread, final Callable<T> work) throws InterruptedException {
    return join(threads.get(thread).submit(work));
  }

  private static <T> T join(final Future<T> future) throws InterruptedException {
    try {
      return future.get();
    } catch (final ExecutionException e) {
      throw e.getCause() instanceof final RuntimeException cause
          ? cause
          : new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    threads.forEach(ExecutorService::shutdownNow);
  }
}
