package io.carom.guest.shim.block;

import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the workers of all queues: one that has been inside the same call of the DMA API for
 * longer than the takeover time is replaced (see {@link Tenure}). Also ends requests for disks that
 * are gone, so that no submitter is called back on its own stack.
 */
public final class BlkSupervisor {
  /** Most hung workers of a queue; with more the device is given up. */
  static final int MOST_HUNG = 64;

  private static final Logger LOG = LoggerFactory.getLogger(BlkSupervisor.class);
  private static final long LONGEST_PAUSE_NS = 100_000_000;
  private static final long SHORTEST_PAUSE_NS = 1_000_000;

  private final BlkTunables tunables;
  private final KernelClock clock;
  private final Map<BlkQueue, Watch> watches = new ConcurrentHashMap<>();
  private final RequestInbox orphans = new RequestInbox();
  private final Thread thread;
  private volatile boolean stopped;

  /** What was seen of a queue's worker. */
  private static final class Watch {
    final Runnable takenOver;
    @Nullable Tenure tenure;
    long call = -1;
    long sinceNs;

    Watch(final Runnable takenOver) {
      this.takenOver = takenOver;
    }
  }

  /** Starts the thread. */
  public BlkSupervisor(final BlkTunables tunables, final KernelClock clock) {
    this.tunables = tunables;
    this.clock = clock;
    this.thread = new Thread(this::run, "blk-supervisor");
    this.thread.setDaemon(true);
    this.thread.start();
  }

  /** Watches a queue; {@code takenOver} is called after each takeover. */
  void watch(final BlkQueue queue, final Runnable takenOver) {
    watches.put(queue, new Watch(takenOver));
  }

  /** Stops watching a queue. */
  void forget(final BlkQueue queue) {
    watches.remove(queue);
  }

  /** Ends a request whose disk is gone. */
  void orphan(final BlockRequest request) {
    if (orphans.push(request)) {
      LockSupport.unpark(thread);
    } else {
      end(request);
    }
  }

  /** Takes a queue over at once if its worker is inside a call; for a queue that must stop. */
  void force(final BlkQueue queue) {
    final Watch watch = watches.get(queue);
    final BlkWorker worker = queue.worker();
    final long call = worker.tenure().callInProgress();
    if (watch != null && call != -1) {
      takeOver(queue, worker, call, watch);
    }
  }

  /** Ends the thread; returns whether it ended in time. */
  public boolean stop(final Duration timeout) {
    stopped = true;
    LockSupport.unpark(thread);
    try {
      return thread.join(timeout);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void run() {
    while (!stopped) {
      endAll(orphans.drain());
      final long now = clock.nanoTime();
      watches.forEach((queue, watch) -> look(queue, watch, now));
      final long pause = Math.clamp(tunables.takeoverNs() / 8, SHORTEST_PAUSE_NS, LONGEST_PAUSE_NS);
      if (orphans.isEmpty() && !stopped) {
        LockSupport.parkNanos(this, pause);
      }
    }
    endAll(orphans.close());
  }

  private void look(final BlkQueue queue, final Watch watch, final long now) {
    final BlkWorker worker = queue.worker();
    final Tenure tenure = worker.tenure();
    final long call = tenure.callInProgress();
    if (call == -1 || call != watch.call || tenure != watch.tenure) {
      watch.tenure = tenure;
      watch.call = call;
      watch.sinceNs = now;
    } else if (now - watch.sinceNs >= tunables.takeoverNs() && queue.hung.get() < MOST_HUNG) {
      takeOver(queue, worker, call, watch);
    }
  }

  private static void takeOver(
      final BlkQueue queue, final BlkWorker worker, final long call, final Watch watch) {
    if (worker.tenure().take(call)) {
      queue.hung.incrementAndGet();
      queue.succeed(worker);
      watch.takenOver.run();
    }
  }

  private static void endAll(final @Nullable BlockRequest first) {
    @Nullable BlockRequest request = first;
    while (request != null) {
      final @Nullable BlockRequest next = request.next;
      request.next = null;
      end(request);
      request = next;
    }
  }

  private static void end(final BlockRequest request) {
    try {
      request.completion.completed(request, BlockStatus.GONE);
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("the completion of a request failed", e);
    }
  }
}
