package io.carom.dma.core.swap;

import io.carom.dma.core.device.DeviceDma;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Takes a device's structure lock with a deadline: whoever holds it may be inside a strategy that
 * is being opened, and hang there. A thread that is interrupted waits all the same, and stays
 * interrupted.
 */
final class Structure {
  /** How long a swap waits for another change of its device, milliseconds. */
  static final long LOCK_MS = 10_000;

  private Structure() {}

  /** Takes the lock; false when it is held by another thread at the deadline. */
  static boolean lock(final DeviceDma device, final long milliseconds) {
    final ReentrantLock lock = device.structure();
    final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(milliseconds);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return lock.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (final InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Takes the lock.
   *
   * @throws IllegalStateException when it is held by another thread at the deadline
   */
  static void require(final DeviceDma device, final long milliseconds) {
    if (!lock(device, milliseconds)) {
      throw new IllegalStateException(late(device, milliseconds));
    }
  }

  /** What to say of a lock that was not to be had. */
  static String late(final DeviceDma device, final long milliseconds) {
    return "another change of what "
        + device.name()
        + " uses has not ended within "
        + milliseconds
        + " ms";
  }

  /** Leaves the lock if the caller holds it. */
  static void unlock(final DeviceDma device) {
    if (device.structure().isHeldByCurrentThread()) {
      device.structure().unlock();
    }
  }
}
