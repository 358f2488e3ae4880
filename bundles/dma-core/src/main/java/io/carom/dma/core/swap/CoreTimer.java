package io.carom.dma.core.swap;

import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.Tick;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens by the clock: the coarse clock itself, the watchdog (on a thread of its own, since a
 * strategy may hang the others), the strategies' ticks, flushes of IOMMU domains (closer to their
 * time than a tick), leftovers of swaps, high-water marks, and the log of failed maps.
 */
public final class CoreTimer {
  private static final Logger LOG = LoggerFactory.getLogger(CoreTimer.class);
  static final long TICK_MS = 10;
  private static final long FLUSH_MS = 1;

  private final Timing timing;
  private final Tick tick;
  private final SwapControl control;
  private final PoolStore store;
  private final Domains domains;
  private final Quarantines quarantines;
  private final Supplier<List<DeviceDma>> devices;
  private final Watchdog watchdog;
  private final Ticker ticker;
  private final FailureLog failures;
  private final long startNs;
  private final Thread sweeping;
  private final Thread watching;
  private final Thread flushing;
  private volatile boolean stopped;

  /** Starts the threads. */
  public CoreTimer(
      final Timing timing,
      final Tick tick,
      final SwapControl control,
      final PoolStore store,
      final Domains domains,
      final Quarantines quarantines,
      final Supplier<List<DeviceDma>> devices) {
    this.domains = domains;
    this.quarantines = quarantines;
    this.timing = timing;
    this.tick = tick;
    this.control = control;
    this.store = store;
    this.devices = devices;
    watchdog = new Watchdog(timing, control);
    ticker = new Ticker(timing, tick, store);
    failures = new FailureLog(new FailureText(store::choiceOf), FailureLog.LOG::warn);
    startNs = timing.nanoTime();
    sweeping = Thread.ofPlatform().daemon().name("dma-timer").unstarted(() -> loop(this::sweep));
    watching = Thread.ofPlatform().daemon().name("dma-watchdog").unstarted(() -> loop(this::watch));
    flushing = Thread.ofPlatform().daemon().name("dma-flush").unstarted(this::flush);
    flushing.start();
    sweeping.start();
    watching.start();
  }

  private void loop(final Runnable work) {
    while (!stopped) {
      try {
        work.run();
      } catch (final RuntimeException e) {
        LOG.error("the timer goes on after {}", e.toString(), e);
      }
      timing.pause(TimeUnit.MILLISECONDS.toNanos(TICK_MS));
    }
  }

  private void flush() {
    while (!stopped) {
      boolean waiting = false;
      try {
        waiting = domains.flushDue();
      } catch (final RuntimeException e) {
        LOG.error("flushes go on after {}", e.toString(), e);
      }
      timing.pause(TimeUnit.MILLISECONDS.toNanos(waiting ? FLUSH_MS : TICK_MS));
    }
  }

  private void watch() {
    tick.set((int) TimeUnit.NANOSECONDS.toMillis(timing.nanoTime() - startNs));
    watchdog.check(store.pools(), devices.get(), control.settings().watchdogMs());
    ticker.check(control.settings().watchdogMs());
  }

  private void sweep() {
    quarantines.tell(control.watches());
    control.sweep();
    for (final Generation generation : store.takeEnded()) {
      for (final DeviceDma device : devices.get()) {
        if (device.number() == generation.device) {
          device.end(generation);
        }
      }
    }
    for (final Pool pool : store.pools()) {
      pool.tick();
    }
    devices.get().forEach(DeviceDma::tick);
    devices.get().forEach(device -> failures.check(device, tick.millis()));
  }

  /** Has the watchdog look at once. */
  public void wake() {
    LockSupport.unpark(watching);
  }

  /** Forgets a device. */
  public void forget(final DeviceDma device) {
    failures.forget(device);
  }

  /**
   * Ends the threads.
   *
   * @param timeoutMs how long to wait for them, all together; one that a strategy holds up is left
   *     behind, and ends when it returns
   */
  public void close(final long timeoutMs) {
    stopped = true;
    ticker.close();
    sweeping.interrupt();
    watching.interrupt();
    flushing.interrupt();
    final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    for (final Thread thread : List.of(sweeping, watching, flushing)) {
      try {
        if (!thread.join(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())))) {
          LOG.warn("{} has not ended within {} ms", thread.getName(), timeoutMs);
        }
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    quarantines.tell(control.watches()); // what the stop itself has set aside
  }
}
