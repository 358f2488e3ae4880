package io.carom.guest.shim.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Pages that buffered writes are on their way to: of two writes that share a page one waits, so
 * that the cache takes up their bytes in the order in which the disk did. A range is held as long
 * as one request takes, which the block layer's deadline bounds. Thread-safe.
 */
final class WriteRanges {
  private record Range(long first, long last) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition freed = lock.newCondition();
  private final List<Range> held = new ArrayList<>();

  void enter(final long first, final long last) {
    lock.lock();
    try {
      while (overlaps(first, last)) {
        freed.awaitUninterruptibly();
      }
      held.add(new Range(first, last));
    } finally {
      lock.unlock();
    }
  }

  void exit(final long first, final long last) {
    lock.lock();
    try {
      held.remove(new Range(first, last));
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean overlaps(final long first, final long last) {
    for (final Range range : held) {
      if (first <= range.last && range.first <= last) {
        return true;
      }
    }
    return false;
  }
}
