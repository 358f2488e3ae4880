package io.carom.dma.core.iova;

import io.carom.dma.spi.FlushPlan;
import io.carom.iommu.GuestIommu;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Ranges of one domain whose unmap was queued and whose invalidation is put off. A range is given
 * back to the domain's {@link Addresses} only when a flush that began after it was added has ended.
 *
 * <p><b>Protocol.</b> Flushes are numbered from 1 and take place one at a time, under {@code
 * flushing}. A flush stores its number in {@code started}, has the IOMMU carry out all that is
 * queued there and waits for it, and stores its number in {@code finished}. Who adds a range has
 * queued the unmap before; it reads {@code started} as the range's stamp, under the ring's lock. A
 * flush of a greater number stored it after that read, so it began after the unmap was queued:
 * {@code stamp < finished} says that the range is covered. A flush that was under way may have
 * covered it or not, so it does not count. Stamps only rise within a ring: covered ranges are at
 * its head. A flush that throws leaves {@code finished} as it was, and its number unused.
 *
 * <p>Who needs a flush and finds one under way waits for it; if then one has ended that began after
 * it asked, that will do. So threads whose rings are full at once share a flush.
 *
 * <p>Whatever was covered is given back by whoever flushed, ring by ring; a range is taken out of a
 * ring and given back under the ring's lock, so that who has seen all rings knows that all that was
 * covered when it began is back. Locks: {@code flushing}, then nothing of ours; a ring's, then the
 * failures' monitor, or those of the addresses.
 *
 * <p><b>Failures.</b> The IOMMU may refuse a queued unmap in any kick from the moment it was
 * queued: before the range is added here, on any thread. The refusal is remembered by the range's
 * first address, and the range is leaked instead of given back. The driver tells of it before the
 * flush that covers the range returns.
 *
 * <p><b>Change of plan.</b> New rings are published, the old ones are retired under their locks, a
 * flush covers what they hold, and it is given back. Who meets a retired ring reads the rings
 * again. A reader of the rings reads the new ones first and then the old ones, which were stored
 * first, so it misses none.
 */
public final class FlushQueue implements GuestIommu.UnmapFailures {
  private static final int TIMES = 64; // ends of the latest flushes
  private static final FlushRing[] NONE = {};

  private final Addresses space;
  private final Flusher flusher;
  private final LongSupplier nanoTime;
  private final int stripes;
  private final ReentrantLock flushing = new ReentrantLock();
  private final long[] ends = new long[TIMES]; // written before finished, by flush number
  private final Set<Long> failures = new HashSet<>(); // guarded by itself
  private volatile int failed; // size of failures
  private volatile long started;
  private volatile long finished;
  private long flushes; // guarded by flushing
  private volatile FlushPlan plan;
  private volatile FlushRing[] rings;
  private volatile FlushRing[] old = NONE;
  private final long[] past = new long[3]; // of retired rings: count, sum, longest; guarded by this

  /** Tells the IOMMU to carry out what is queued. */
  @FunctionalInterface
  public interface Flusher {
    /** Waits until everything that was queued before is carried out and invalidated. */
    void flush();
  }

  /**
   * An empty queue.
   *
   * @param space where the ranges were leased
   * @param nanoTime as {@link System#nanoTime}
   * @param stripes rings of a striped plan, at least 1; rounded up to a power of two
   */
  public FlushQueue(
      final Addresses space,
      final Flusher flusher,
      final LongSupplier nanoTime,
      final int stripes,
      final FlushPlan plan) {
    this.space = space;
    this.flusher = flusher;
    this.nanoTime = nanoTime;
    this.stripes = Integer.highestOneBit(2 * Math.max(1, stripes) - 1);
    this.plan = plan;
    rings = rings(plan);
  }

  private FlushRing[] rings(final FlushPlan made) {
    if (made.entries() < 1 || made.entries() > 1 << 24) {
      throw new IllegalArgumentException(
          "flush queue of " + made.entries() + " entries; 1 to 16777216 are possible");
    }
    final FlushRing[] all = new FlushRing[made.striped() ? stripes : 1];
    for (int i = 0; i < all.length; i++) {
      all[i] = new FlushRing(i, made.entries());
    }
    return all;
  }

  /**
   * Adds a range whose unmap is queued at the IOMMU. If the ring is full the caller flushes first:
   * no lock may be held.
   *
   * @param stripe any number, usually the mapping's
   * @param bytes as leased
   */
  public void add(final int stripe, final long iova, final long bytes) {
    final long now = nanoTime.getAsLong();
    while (!tryAdd(stripe, iova, bytes, now)) {
      boolean done = false;
      try {
        flushAll();
        done = true;
      } finally {
        if (!done) {
          space.leak(iova, bytes); // nobody could know when it is unmapped
        }
      }
    }
  }

  private boolean tryAdd(final int stripe, final long iova, final long bytes, final long now) {
    while (true) {
      final FlushRing[] all = rings;
      final FlushRing ring = all[stripe & (all.length - 1)];
      ring.lock(Thread.currentThread().threadId());
      try {
        if (ring.retired()) {
          continue; // the new rings were published before
        }
        if (ring.full()) {
          return false;
        }
        ring.add(iova, bytes, started, now);
        return true;
      } finally {
        ring.unlock();
      }
    }
  }

  /** Flushes if a range is older than the plan's timeout; else does nothing. */
  public void tick(final long nowNs) {
    final long timeoutNs = plan.timeoutMs() * 1_000_000; // a plan's, so far below 2^63
    for (final FlushRing ring : rings) {
      ring.lock(Thread.currentThread().threadId());
      final boolean due;
      try {
        due = ring.used() != 0 && nowNs - ring.oldestNs() >= timeoutNs;
      } finally {
        ring.unlock();
      }
      if (due) {
        flushAll();
        return;
      }
    }
  }

  /** Flushes, and gives back everything that was added before. */
  public void flushAll() {
    flush();
    reap(rings);
    reap(old);
  }

  /** Returns when a flush has ended that began after the call. */
  private void flush() {
    final long before = started;
    flushing.lock();
    try {
      if (finished > before) {
        return;
      }
      final long number = started + 1;
      started = number;
      flusher.flush();
      final long now = nanoTime.getAsLong();
      for (long n = Math.max(finished + 1, number - TIMES + 1); n <= number; n++) {
        ends[(int) n & (TIMES - 1)] = now;
      }
      flushes++;
      finished = number;
    } finally {
      flushing.unlock();
    }
  }

  private void reap(final FlushRing[] all) {
    for (final FlushRing ring : all) {
      ring.reap(this);
    }
  }

  /** Whether a flush that began after the stamp was read has ended. */
  boolean covered(final long stamp) {
    return stamp < finished;
  }

  /** When the first such flush ended; that of a later one if it is long ago. */
  long coveredAt(final long stamp) {
    return ends[(int) (Math.max(stamp + 1, finished - TIMES + 1) & (TIMES - 1))];
  }

  /** Gives a covered range back, or leaks it if its unmap failed; then returns false. */
  boolean giveBack(final int stripe, final long iova, final long bytes) {
    if (failed != 0 && takeFailure(iova)) {
      space.leak(iova, bytes);
      return false;
    }
    space.giveBack(stripe, iova, bytes);
    return true;
  }

  /** Hears that a queued unmap was refused: the range will be leaked. */
  @Override
  public void failed(final long iova, final long bytes, final int status) {
    synchronized (failures) {
      failures.add(iova);
      failed = failures.size();
    }
  }

  /**
   * Asks, once, whether the queued unmap of a range was refused; for ranges that are not added
   * here. The answer is complete after a flush.
   */
  public boolean takeFailure(final long iova) {
    synchronized (failures) {
      final boolean was = failures.remove(iova);
      failed = failures.size();
      return was;
    }
  }

  /** Changes the plan; when this returns all that was added before is back. No lock may be held. */
  public synchronized void change(final FlushPlan next) {
    if (next.equals(plan)) {
      return;
    }
    final FlushRing[] made = rings(next);
    settle();
    old = rings;
    rings = made;
    plan = next;
    for (final FlushRing ring : old) {
      ring.retire();
    }
    settle();
  }

  /** Flushes, and forgets the old rings, which are empty then and stay so. */
  private void settle() {
    flushAll();
    for (final FlushRing ring : old) {
      past[0] += ring.reaped();
      past[1] += ring.sumNs();
      past[2] = Math.max(past[2], ring.longestNs());
    }
    old = NONE;
  }

  /** The plan. */
  public FlushPlan plan() {
    return plan;
  }

  /** Ranges that wait; a little old. */
  public long queued() {
    long sum = 0;
    for (final FlushRing ring : rings) {
      sum += ring.used();
    }
    for (final FlushRing ring : old) {
      sum += ring.used();
    }
    return sum;
  }

  /** Flushes that have ended. */
  public long flushes() {
    flushing.lock();
    try {
      return flushes;
    } finally {
      flushing.unlock();
    }
  }

  /** Ranges that were given back. */
  public synchronized long covered() {
    long sum = past[0];
    for (final FlushRing ring : rings) {
      sum += ring.reaped();
    }
    return sum;
  }

  /**
   * Longest time, in nanoseconds, from the unmap of a range to the end of the flush that covered
   * it.
   */
  public synchronized long longestOpenNs() {
    long longest = past[2];
    for (final FlushRing ring : rings) {
      longest = Math.max(longest, ring.longestNs());
    }
    return longest;
  }

  /** Mean of that time, in nanoseconds; 0 when nothing was given back yet. */
  public synchronized double meanOpenNs() {
    final long count = covered();
    long sum = past[1];
    for (final FlushRing ring : rings) {
      sum += ring.sumNs();
    }
    return count == 0 ? 0 : (double) sum / count;
  }
}
