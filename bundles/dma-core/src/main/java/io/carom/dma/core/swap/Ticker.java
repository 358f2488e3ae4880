package io.carom.dma.core.swap;

import io.carom.dma.core.map.Tick;
import io.carom.dma.core.pool.Pool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets time pass for strategies, and grants what they want by then: about every 10 ms, and at once
 * when a map was refused.
 *
 * <p>A strategy may hang in its tick, and nothing else must wait for it: {@link #check}, called by
 * the watchdog's thread, notices that one pool takes longer than the deadline, puts a new thread in
 * the place of the one inside, and that pool gets no ticks any more. The old thread ends when it
 * returns.
 */
final class Ticker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ticker.class);

  private final Timing timing;
  private final Tick tick;
  private final PoolStore store;
  private volatile @Nullable Worker worker;

  /** What {@link #check} saw last; only its thread looks at them. */
  private @Nullable Pool seen;

  private long seenLap;
  private long seenSinceNs;

  Ticker(final Timing timing, final Tick tick, final PoolStore store) {
    this.timing = timing;
    this.tick = tick;
    this.store = store;
    replace();
    store.waker(this::wake);
  }

  private final class Worker implements Runnable {
    private final Thread thread = Thread.ofPlatform().daemon().name("dma-ticker").unstarted(this);
    private volatile @Nullable Pool in;
    private volatile long lap;

    @Override
    public void run() {
      long number = 0;
      while (worker == this) {
        lap = ++number;
        for (final Pool pool : store.pools()) {
          in = pool;
          pool.tickStrategy(tick.millis());
          in = null;
          if (worker != this) {
            return;
          }
        }
        fill();
        timing.pause(TimeUnit.MILLISECONDS.toNanos(CoreTimer.TICK_MS));
      }
    }
  }

  private void fill() {
    try {
      store.fill();
    } catch (final RuntimeException | Error e) {
      LOG.error("pools are not filled at this tick: {}", e.toString(), e);
    }
  }

  private void replace() {
    final Worker next = new Worker();
    worker = next;
    next.thread.start();
  }

  private void wake() {
    final Worker now = worker;
    if (now != null) {
      LockSupport.unpark(now.thread);
    }
  }

  /** Replaces the thread when it is in one pool for longer than the deadline. */
  void check(final long deadlineMs) {
    final Worker now = worker;
    final Pool in = now == null ? null : now.in;
    if (now == null || in == null || in != seen || now.lap != seenLap) {
      seen = in;
      seenLap = now == null ? 0 : now.lap;
      seenSinceNs = timing.nanoTime();
      return;
    }
    // Twice the deadline: the stripe that it holds is abandoned after the first.
    if (timing.nanoTime() - seenSinceNs > 2 * TimeUnit.MILLISECONDS.toNanos(deadlineMs)) {
      in.tickless();
      replace();
    }
  }

  @Override
  public void close() {
    worker = null;
    wake();
  }
}
