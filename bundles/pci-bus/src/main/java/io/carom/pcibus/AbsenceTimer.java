package io.carom.pcibus;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Begins removals when absences have lasted too long, each on a thread of its own, as a removal may
 * wait for foreign code.
 */
final class AbsenceTimer implements AutoCloseable {
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1, task -> Thread.ofPlatform().daemon().name("carom-pci absences").unstarted(task));

  AbsenceTimer() {
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Runs a task after a delay, unless the timer is closed before. */
  void after(final Duration delay, final Runnable task) {
    try {
      final var _ =
          timer.schedule(
              () -> Thread.ofPlatform().daemon().name("carom-pci absence over").start(task),
              delay.toNanos(),
              TimeUnit.NANOSECONDS);
    } catch (final RejectedExecutionException e) {
      // closed: the bus ends, and everything in it
    }
  }

  /** Begins nothing any more. */
  @Override
  public void close() {
    timer.shutdownNow();
  }
}
