package io.carom.dma.core.pool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock held for tens of nanoseconds: one compare-and-set to take it, one release store to leave
 * it, on a cache line of its own.
 *
 * <p><b>Abandonment.</b> Code of a strategy runs under the lock, and may hang. {@link #abandon}
 * then gives the lock up for everybody else without touching the lock word: waiters and newcomers
 * see {@link #abandoned} and go another way. The holder, if it ever returns, finds the flag (or,
 * having read it just before, finishes as usual) and stores the lock word free. Whoever wants to
 * reuse what the lock guarded waits until the lock is abandoned <em>and</em> free, in that order: a
 * thread that takes the lock word after the flag was set sees the flag, because both are volatile,
 * and leaves again without touching anything. So a plain release store is enough to unlock.
 *
 * <p><b>Who may still publish.</b> A holder that read the flag just before it was set goes on and
 * publishes its record, and who counts records before that would find one too few. So until it is
 * known that the holder will see the flag, {@link #mayPublish} counts it as one. That is known once
 * the lock is free, or once the holder is {@link #seal sealed}: found inside the strategy, in the
 * same visit, at a safepoint behind the setting of the flag. For a holder reads the flag each time
 * it comes out of the strategy. The safepoint stands for the fence that the holder does not have
 * between leaving the strategy and reading the flag: it would cost every map more than its lock.
 */
public class StripeLock extends StripePad {
  private static final VarHandle OWNER;
  private static final int SPINS = 200;
  private static final long PARK_NS = 20_000;

  static {
    try {
      OWNER = MethodHandles.lookup().findVarHandle(StripeLock.class, "owner", long.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile long owner;
  private volatile boolean abandoned;
  private volatile boolean sealed;

  /** A free lock. */
  public StripeLock() {}

  /**
   * Tries to take the lock without waiting.
   *
   * @param me the caller's thread id
   * @return false when it is held or abandoned
   */
  public final boolean tryLock(final long me) {
    if (!OWNER.compareAndSet(this, 0L, me)) {
      return false;
    }
    return entered();
  }

  /**
   * Takes the lock; spins briefly, then parks.
   *
   * @return false when the lock is abandoned: the caller does not hold it
   */
  public final boolean lock(final long me) {
    if (OWNER.compareAndSet(this, 0L, me)) {
      return entered();
    }
    return lockSlowly(me, Long.MAX_VALUE);
  }

  /**
   * Takes the lock, waiting at most so long.
   *
   * @return false when it is abandoned, or still held at the deadline
   */
  public final boolean lock(final long me, final long timeoutNs) {
    if (OWNER.compareAndSet(this, 0L, me)) {
      return entered();
    }
    return lockSlowly(me, timeoutNs);
  }

  private boolean entered() {
    if (abandoned) {
      OWNER.setRelease(this, 0L);
      return false;
    }
    return true;
  }

  private boolean lockSlowly(final long me, final long timeoutNs) {
    final long start = System.nanoTime();
    for (int i = 0; ; i++) {
      if (abandoned) {
        return false;
      }
      if (owner == 0 && OWNER.compareAndSet(this, 0L, me)) {
        return entered();
      }
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        if (System.nanoTime() - start > timeoutNs) {
          return false;
        }
        // Timed, so no one has to wake us: the holder's unlock stays a plain store.
        LockSupport.parkNanos(this, PARK_NS);
      }
    }
  }

  /** Leaves the lock. Only the holder may call it. */
  public final void unlock() {
    OWNER.setRelease(this, 0L);
  }

  /** Whether the lock was given up. */
  public final boolean abandoned() {
    return abandoned;
  }

  /** Gives the lock up for everybody but the holder. Final; false when it was before. */
  public final synchronized boolean abandon() {
    final boolean first = !abandoned;
    abandoned = true;
    return first;
  }

  /** It is known that the holder is inside the strategy, and sees the flag when it comes out. */
  final void seal() {
    sealed = true;
  }

  /**
   * Whether a record may yet be published under the lock although it is abandoned. Ask before the
   * records are counted: what was published before the lock was left is visible then.
   */
  public final boolean mayPublish() {
    return !sealed && owner != 0;
  }

  /** The holder's thread id, or 0. */
  public final long owner() {
    return owner;
  }
}
