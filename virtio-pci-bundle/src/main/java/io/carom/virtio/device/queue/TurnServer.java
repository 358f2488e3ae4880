package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves a queue on the threads of its callers, who take turns: a lock is held while one is
 * serving, and guards the one bus session that they all use.
 */
abstract class TurnServer extends QueueServer {
  private final ReentrantLock turn = new ReentrantLock();
  private @Nullable BusSession session; // guarded by the turn

  TurnServer(final int index, final QueueHost host) {
    super(index, host);
  }

  @Override
  public final void start(final String name, final Supplier<BusSession> sessions) {
    turn.lock(); // no wait: it is started before there is a driver
    try {
      if (session == null && !closed()) {
        session = sessions.get();
      }
    } finally {
      turn.unlock();
    }
  }

  @Override
  public final boolean join(final long deadlineNanos) {
    if (turn.isHeldByCurrentThread()) {
      return false;
    }
    if (!take(deadlineNanos - System.nanoTime())) {
      return false; // whoever serves keeps the session; the port is revoked under it
    }
    try {
      if (session != null) {
        session.close();
        session = null;
      }
      return true;
    } finally {
      turn.unlock();
    }
  }

  /** Whether this thread is serving, and came here again from within. */
  final boolean mine() {
    return turn.isHeldByCurrentThread();
  }

  /** Takes the turn; false when it was not to be had in time, or the thread was interrupted. */
  final boolean take(final long nanos) {
    try {
      return turn.tryLock() || turn.tryLock(nanos, TimeUnit.NANOSECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Takes the turn, whenever whoever has it passes it. */
  final void take() {
    turn.lock();
  }

  /** Takes the turn if nobody has it. */
  final boolean takeNow() {
    return turn.tryLock();
  }

  final void pass() {
    turn.unlock();
  }

  /** The session, for who has the turn; null when it was not started or is closed. */
  final @Nullable BusSession session() {
    return session;
  }
}
