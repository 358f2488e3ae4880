package io.carom.benchmarks.storm;

import io.carom.benchmarks.guest.SwapDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import org.HdrHistogram.Histogram;

/** The workers of a cell and their threads, which live as long as it does. */
final class Crew implements AutoCloseable {
  private final List<MapWorker> workers = new ArrayList<>();
  private final Intervals intervals = new Intervals();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("bench-map-", 0).factory());

  /**
   * A crew.
   *
   * @param pages how many each keeps mapped
   * @param mostIntervals how many intervals a stretch has at most
   */
  Crew(
      final SwapDevice owner,
      final int size,
      final int pages,
      final int mostIntervals,
      final long seed) {
    final Contents contents = new Contents(seed);
    for (int i = 0; i < size; i++) {
      workers.add(
          new MapWorker(owner, contents, pages, size, intervals, mostIntervals, seed * 1000 + i));
    }
  }

  /** What goes on beside the maps. */
  @FunctionalInterface
  interface Beside {
    /** Runs until a time, as of {@link System#nanoTime}. */
    void run(Intervals intervals, long until) throws InterruptedException;
  }

  /**
   * Has all workers map for a time, from the moment when each holds what it shall.
   *
   * @return maps in a second, of all
   */
  double run(final long ns, final Beside beside) throws InterruptedException {
    intervals.restart();
    final AtomicInteger filling = new AtomicInteger(workers.size());
    final List<Future<Double>> running = new ArrayList<>();
    for (final MapWorker worker : workers) {
      running.add(threads.submit(() -> run(worker, filling, ns)));
    }
    while (filling.get() > 0 && running.stream().noneMatch(Future::isDone)) {
      Thread.yield();
    }
    beside.run(intervals, System.nanoTime() + ns);
    double sum = 0;
    for (final Future<Double> one : running) {
      sum += join(one);
    }
    return sum;
  }

  private static double run(final MapWorker worker, final AtomicInteger filling, final long ns) {
    try {
      worker.prepare();
      filling.decrementAndGet();
      while (filling.get() > 0) {
        Thread.yield(); // the others may need this processor to fill theirs
      }
      final long start = System.nanoTime();
      worker.run(start + ns);
      return worker.done() * 1e9 / (System.nanoTime() - start);
    } finally {
      worker.finish();
    }
  }

  private static double join(final Future<Double> future) throws InterruptedException {
    try {
      return future.get();
    } catch (final ExecutionException e) {
      throw e.getCause() instanceof final RuntimeException cause
          ? cause
          : new IllegalStateException(e.getCause());
    }
  }

  /** Adds the times of map calls of the last stretch. */
  void addMaps(final Histogram sum) {
    workers.forEach(worker -> sum.add(worker.maps()));
  }

  /** Adds the ages of mappings of the last stretch. */
  void addAges(final Histogram sum) {
    workers.forEach(worker -> sum.add(worker.ages()));
  }

  /** The longest map call of each interval of the last stretch, nanoseconds; 0 where none ended. */
  long[] longest() {
    final long[] result = new long[intervals.current() + 1];
    for (int i = 0; i < result.length; i++) {
      for (final MapWorker worker : workers) {
        result[i] = Math.max(result[i], worker.longest(i));
      }
    }
    return result;
  }

  /** A sum over the workers. */
  long sum(final ToLongFunction<MapWorker> count) {
    return workers.stream().mapToLong(count).sum();
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
