package io.carom.guest.shim.kernel;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's work thread: enumeration, probing, removal and device resets run here, one after the
 * other, so that none of them needs a lock against another. Interrupt handlers and request workers
 * only post work.
 *
 * <p>A task that throws is logged and the thread goes on. Tasks bound their own waits; {@link
 * #stop} and {@link #call} are bounded whatever a task does.
 */
public final class Kworker implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Kworker.class);
  private static final long SLICE_MS = 10;

  private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean stopped;

  /** Starts the thread. */
  public Kworker(final String name) {
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Posts a task; it is dropped once the thread was stopped. */
  @Override
  public void execute(final Runnable task) {
    if (!stopped) {
      tasks.add(task);
    }
  }

  /**
   * Runs a task on the thread and waits for its end; on the thread itself it is run at once.
   *
   * @return whether it ended in time
   */
  public boolean call(final Runnable task, final Duration timeout) {
    if (Thread.currentThread() == thread) {
      task.run();
      return true;
    }
    final CountDownLatch done = new CountDownLatch(1);
    execute(
        () -> {
          try {
            task.run();
          } finally {
            done.countDown();
          }
        });
    final long deadline = System.nanoTime() + timeout.toNanos();
    try {
      boolean ended = done.await(0, TimeUnit.NANOSECONDS);
      // a thread that was stopped runs nothing more: do not wait for what it has dropped
      while (!ended && thread.isAlive() && System.nanoTime() - deadline < 0) {
        ended = done.await(SLICE_MS, TimeUnit.MILLISECONDS);
      }
      return ended || done.getCount() == 0;
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Ends the thread after the task in hand and waits for it.
   *
   * @return whether it ended in time
   */
  public boolean stop(final Duration timeout) {
    stopped = true;
    tasks.clear();
    tasks.add(() -> {});
    if (Thread.currentThread() == thread) {
      return true;
    }
    try {
      return thread.join(timeout);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void run() {
    while (!stopped) {
      try {
        tasks.take().run();
      } catch (final InterruptedException e) {
        return; // nobody interrupts this thread but a container that is going down
      } catch (final RuntimeException | LinkageError e) {
        LOG.error("kernel work failed", e);
      }
    }
  }
}
