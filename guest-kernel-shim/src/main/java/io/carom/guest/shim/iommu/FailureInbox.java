package io.carom.guest.shim.iommu;

import io.carom.iommu.GuestIommu.UnmapFailures;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Failures of a domain's queued unmaps between the request queue, where they are found under its
 * lock, and the domain's owner, who is told without it.
 *
 * <p>Protocol: whoever found failures {@link #offer}s to tell them. Whoever flushed must know that
 * all failures of what he had queued are told before he returns, also those that another thread
 * found and is telling: {@link #tell} waits for that one. So an owner's callback must not wait for
 * a lock that is held around a flush of the same domain.
 */
final class FailureInbox {
  private static final Logger LOG = LoggerFactory.getLogger(FailureInbox.class);

  private final UnmapFailures owner;
  private final ReentrantLock telling = new ReentrantLock();
  private final ArrayDeque<Failure> waiting = new ArrayDeque<>();
  private volatile int untold;

  private record Failure(long iova, long bytes, int status) {}

  FailureInbox(final UnmapFailures owner) {
    this.owner = owner;
  }

  /** Adds a failure. */
  synchronized void add(final long iova, final long bytes, final int status) {
    waiting.add(new Failure(iova, bytes, status));
    untold = untold + 1;
  }

  /** Tells what waits, unless somebody is about it. */
  void offer() {
    if (untold != 0 && telling.tryLock()) {
      tellAll();
    }
  }

  /** Returns once everything that was added before is told. */
  void tell() {
    if (untold != 0) {
      telling.lock();
      tellAll();
    }
  }

  private void tellAll() {
    try {
      @Nullable Failure next = next();
      while (next != null) {
        try {
          owner.failed(next.iova(), next.bytes(), next.status());
        } catch (final RuntimeException e) {
          LOG.error("the owner of a domain failed to hear of a failed unmap", e);
        }
        told();
        next = next();
      }
    } finally {
      telling.unlock();
    }
  }

  private synchronized @Nullable Failure next() {
    return waiting.poll();
  }

  private synchronized void told() {
    untold = untold - 1;
  }
}
