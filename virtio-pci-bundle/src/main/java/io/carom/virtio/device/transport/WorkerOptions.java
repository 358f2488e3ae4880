package io.carom.virtio.device.transport;

import java.util.concurrent.TimeUnit;

/**
 * How queues are served that are not served at their doorbell.
 *
 * @param threads whether each queue has a thread; without, {@code processNow} serves them
 * @param spinNanos how long a thread looks for a doorbell before it parks
 * @param resetWaitNanos how long a driver's reset waits for requests that are being served
 * @param stopWaitNanos how long taking the function out waits for those who serve
 */
public record WorkerOptions(
    boolean threads, long spinNanos, long resetWaitNanos, long stopWaitNanos) {
  private static final long DEFAULT_SPIN_NANOS = 20_000;
  private static final long DEFAULT_RESET_WAIT_NANOS = 100_000_000;
  private static final long DEFAULT_STOP_WAIT_NANOS = 2_000_000_000;

  /** A thread for each queue. */
  public static WorkerOptions threaded() {
    return threaded(DEFAULT_SPIN_NANOS);
  }

  /** A thread for each queue, that spins for a given time. */
  public static WorkerOptions threaded(final long spinNanos) {
    return new WorkerOptions(true, spinNanos, DEFAULT_RESET_WAIT_NANOS, DEFAULT_STOP_WAIT_NANOS);
  }

  /** The time for taking the function out, in milliseconds. */
  long stopWaitMs() {
    return TimeUnit.NANOSECONDS.toMillis(stopWaitNanos);
  }

  /** With another time for taking the function out. */
  public WorkerOptions stopWait(final long nanos) {
    return new WorkerOptions(threads, spinNanos, resetWaitNanos, nanos);
  }

  /** No threads: deterministic. */
  public static WorkerOptions manual() {
    return new WorkerOptions(false, 0, DEFAULT_RESET_WAIT_NANOS, DEFAULT_STOP_WAIT_NANOS);
  }
}
