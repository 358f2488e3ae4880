package io.carom.benchmarks.storm;

import io.carom.benchmarks.guest.SwapDevice;
import io.carom.dma.SwapReport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * Swaps a device through its strategies, one after another and round again. A swap is requested at
 * the later of 10 ms and the end of the one before.
 */
final class Swapper {
  /** From one request to the next at least, nanoseconds. */
  static final long PERIOD_NS = 10_000_000;

  /** Far beyond the drain deadline and the watchdog: a swap that takes longer hangs. */
  private static final long HANG_SECONDS = 120;

  private final SwapDevice device;
  private final List<SwapReport> reports = new ArrayList<>();
  private int turn;
  private long swappingNs;

  Swapper(final SwapDevice device) {
    this.device = device;
  }

  /** Swaps until a time; each swap begins an interval. */
  void run(final Intervals intervals, final long until) throws InterruptedException {
    final long start = System.nanoTime();
    long now = start;
    do {
      final long next = now + PERIOD_NS;
      reports.add(swap());
      now = pause(next);
      intervals.next();
    } while (now < until);
    swappingNs += now - start;
  }

  /** Swaps to the next strategy. */
  SwapReport swap() throws InterruptedException {
    turn = (turn + 1) % device.strategies().size();
    return swapTo(turn);
  }

  /**
   * Swaps to a strategy and waits for the end of it.
   *
   * @throws IllegalStateException when it fails or hangs; one line
   */
  SwapReport swapTo(final int strategy) throws InterruptedException {
    final String name = device.strategies().get(strategy);
    try {
      return device.use(name).toCompletableFuture().get(HANG_SECONDS, TimeUnit.SECONDS);
    } catch (final ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "a swap to " + name + " did not end: " + (e.getCause() == null ? e : e.getCause()), e);
    }
  }

  /** Lets intervals of the same length go by without swaps. */
  static void idle(final Intervals intervals, final long until) {
    long now = System.nanoTime();
    do {
      now = pause(now + PERIOD_NS);
      intervals.next();
    } while (now < until);
  }

  private static long pause(final long until) {
    long now = System.nanoTime();
    while (now < until) {
      LockSupport.parkNanos(until - now);
      now = System.nanoTime();
    }
    return now;
  }

  /** What the swaps came to. */
  List<SwapReport> reports() {
    return reports;
  }

  /** Forgets them. */
  void forget() {
    reports.clear();
    swappingNs = 0;
  }

  /** Mean time from a request to the next one, milliseconds; 0 without swaps. */
  double everyMs() {
    return reports.isEmpty() ? 0 : swappingNs / 1e6 / reports.size();
  }
}
