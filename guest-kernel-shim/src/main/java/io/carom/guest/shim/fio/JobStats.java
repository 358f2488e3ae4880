package io.carom.guest.shim.fio;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What one job counts. One thread writes at a time, under the job's lock; anyone may read the
 * counters while it runs, the latencies only when it is over.
 */
final class JobStats {
  /** Longest latency that is told apart from longer ones. */
  private static final long HIGHEST_NS = TimeUnit.HOURS.toNanos(1);

  private static final int LOWEST_NS = 16;
  private static final int DIGITS = 3;

  private final Histogram latencies = newHistogram();
  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong verifiedBytes = new AtomicLong();
  private final AtomicLong corrupt = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final AtomicReference<@Nullable String> firstCorruption = new AtomicReference<>();

  /** An empty histogram, that those of all jobs can be added to. */
  static Histogram newHistogram() {
    return new Histogram(LOWEST_NS, HIGHEST_NS, DIGITS);
  }

  void completed(final long latencyNs) {
    latencies.recordValue(Math.min(Math.max(latencyNs, 0), HIGHEST_NS));
    add(requests, 1);
  }

  void verified(final long bytes) {
    add(verifiedBytes, bytes);
  }

  void corrupt() {
    add(corrupt, 1);
  }

  void describeCorruption(final String what) {
    firstCorruption.set(what);
  }

  /** From several threads when a job is given up. */
  void lost() {
    lost.incrementAndGet();
  }

  Histogram latencies() {
    return latencies;
  }

  long requests() {
    return requests.getOpaque();
  }

  long verifiedBytes() {
    return verifiedBytes.getOpaque();
  }

  long corruptBlocks() {
    return corrupt.getOpaque();
  }

  long lostRequests() {
    return lost.get();
  }

  @Nullable String firstCorruption() {
    return firstCorruption.get();
  }

  /** No atomic operation: there is one writer. */
  private static void add(final AtomicLong counter, final long amount) {
    counter.setOpaque(counter.getPlain() + amount);
  }
}
