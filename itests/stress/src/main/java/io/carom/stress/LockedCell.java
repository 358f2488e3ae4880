package io.carom.stress;

import io.carom.dma.core.pool.StripeLock;

/** What a stripe lock guards: a plain field, as counts and records of an extent are. */
final class LockedCell {
  /** The lock. */
  final StripeLock lock = new StripeLock();

  /** Steps done under the lock. */
  int steps;

  /** Free, nothing done. */
  LockedCell() {}

  /** Enters, does a step, leaves; false when the lock was abandoned. */
  boolean step(final long me) {
    if (!lock.lock(me)) {
      return false;
    }
    steps++;
    lock.unlock();
    return true;
  }

  /**
   * Gives the lock up and waits until it is free: in that order.
   *
   * @return the steps done: from here on there must be no other
   */
  int dispose() {
    lock.abandon();
    while (lock.owner() != 0) {
      Thread.onSpinWait();
    }
    return steps;
  }
}
