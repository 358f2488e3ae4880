package io.carom.shell.demo;

import io.carom.dma.DmaControl;
import io.carom.dma.SwapOptions;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Swaps one device through its strategies, one after another; the next begins at the later of the
 * period and the end of the one before. Which strategies there are is asked anew each time: their
 * bundle is stopped meanwhile, and what it refuses then is counted and no failure.
 */
final class Swapper implements Callable<Boolean> {
  private final ShellServices services;
  private final String device;
  private final long periodMs;
  private final SwapTally tally;
  private final CountDownLatch end;

  Swapper(
      final ShellServices services,
      final String device,
      final long periodMs,
      final SwapTally tally,
      final CountDownLatch end) {
    this.services = services;
    this.device = device;
    this.periodMs = periodMs;
    this.tally = tally;
    this.end = end;
  }

  /** Swaps until the end; answers true. */
  @Override
  public Boolean call() throws InterruptedException {
    int turn = 0;
    long left = 0;
    while (!end.await(left, TimeUnit.NANOSECONDS)) {
      final long next = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(periodMs);
      swap(turn);
      turn++;
      left = Math.max(0, next - System.nanoTime());
    }
    return true;
  }

  private void swap(final int turn) throws InterruptedException {
    try {
      final DmaControl dma = services.dma();
      final List<String> allowed = dma.allowed(device);
      if (allowed.isEmpty()) {
        tally.refused();
      } else {
        tally.finished(
            Swaps.use(dma, device, allowed.get(turn % allowed.size()), SwapOptions.DEFAULTS));
      }
    } catch (IllegalArgumentException | IllegalStateException e) {
      tally.refused();
    }
  }
}
