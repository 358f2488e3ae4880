package io.carom.machine.port;

import io.carom.pci.BusAccess;
import io.carom.pci.Translation;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What stands before ports while the IOMMU is away: accesses wait for the next one, and are refused
 * from a deadline on. One object for one absence; it is the translation in the routes of all ports
 * that wait.
 *
 * <p><b>Where accesses wait.</b> A section that begins on a route with a stand-in is left again,
 * and its thread waits outside, then begins anew. So nothing that waits for the end of sections
 * (the next IOMMU's publication, revoking, quiescing) ever waits for one that waits here. A section
 * that began before has the old IOMMU's translation to its end, and who takes that IOMMU away waits
 * for it. Only where the old code throws in the middle of a section does its thread wait inside,
 * with what it has resolved before: then it goes on by the translation that its port has next. That
 * is as safe as a section that began later, as whoever changes what that translation says waits for
 * all sections that are open, this one among them. Whoever takes an IOMMU away does not wait for
 * such a section, as it is in that code no more; all others do, to their deadlines.
 *
 * <p><b>Nobody sleeps on.</b> A thread waits, under the lock, for as long as the port has the route
 * that it saw. Whoever changes a route stores it first and calls {@link #changed} then: a thread
 * that looked before the store is asleep when the lock is taken for that, and is woken; one that
 * looks later finds another route. What may come is the next IOMMU's translation, the end of the
 * port's epoch, or the function's leave to bypass the IOMMU; each is judged anew. The deadline is
 * that of the absence, so that a function which came late, or makes access after access, waits no
 * longer than any other. {@link #changed} is called before whoever changes a route begins to wait
 * for sections, so the next IOMMU wakes those inside before it waits for them.
 *
 * <p>Locks: a port's monitor may be held when {@link #changed} is called; nothing is taken under
 * the lock here.
 */
final class StandIn implements Translation {
  /** For a function that was blocked: it is so, whether there is an IOMMU or not. */
  static final Translation BLOCKED = (address, length, access) -> FAULT;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition change = lock.newCondition();
  private final long began = System.nanoTime();
  private final long deadline;
  private final LongAdder waited = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /**
   * An absence that begins now.
   *
   * @param deadlineNanos until when accesses wait
   */
  StandIn(final long deadlineNanos) {
    deadline = deadlineNanos;
  }

  /** Whether there is still something to wait for. */
  boolean waits() {
    return System.nanoTime() - deadline < 0;
  }

  /** Waits until a port has another route, or the deadline is over. */
  void await(final DevicePort port, final Route seen) {
    waited.increment();
    boolean interrupted = false;
    lock.lock();
    try {
      long left = deadline - System.nanoTime();
      while (left > 0 && port.route().version() == seen.version()) {
        try {
          left = change.awaitNanos(left);
        } catch (final InterruptedException e) {
          interrupted = true; // whoever interrupts a device has to close or revoke it, too
          left = deadline - System.nanoTime();
        }
      }
    } finally {
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** A route that this stood in has been replaced. */
  void changed() {
    lock.lock();
    try {
      change.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Asked when the deadline is over: no access passes untranslated. */
  @Override
  public long translate(final long address, final long length, final BusAccess access) {
    refused.increment();
    return FAULT;
  }

  /** The absence in words. */
  String text() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)
        + " ms; "
        + waited.sum()
        + " waits, "
        + refused.sum()
        + " accesses refused";
  }
}
