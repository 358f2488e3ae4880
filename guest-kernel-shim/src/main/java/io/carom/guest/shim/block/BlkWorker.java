package io.carom.guest.shim.block;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that owns a queue: submits, reaps and completes, until it is told to end. */
final class BlkWorker {
  private static final Logger LOG = LoggerFactory.getLogger(BlkWorker.class);

  private final BlkQueue queue;
  private final Tenure tenure;
  private final @Nullable Tenure predecessor;
  private final Thread thread;

  /** A worker that first settles what its predecessor had in hand. */
  BlkWorker(final BlkQueue queue, final Tenure tenure, final @Nullable Tenure predecessor) {
    this.queue = queue;
    this.tenure = tenure;
    this.predecessor = predecessor;
    this.thread = new Thread(this::run, "blk-" + queue.name());
    this.thread.setDaemon(true);
  }

  Tenure tenure() {
    return tenure;
  }

  void start() {
    thread.start();
  }

  void unpark() {
    LockSupport.unpark(thread);
  }

  boolean join(final Duration timeout) throws InterruptedException {
    return thread.join(timeout);
  }

  private void run() {
    try {
      queue.run(tenure, predecessor);
    } catch (final OwnershipLostException e) {
      queue.hung.decrementAndGet(); // it was counted when it was taken over
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("worker of {} failed", queue.name(), e);
    }
  }
}
