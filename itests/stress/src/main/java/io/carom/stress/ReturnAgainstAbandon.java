package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A holder that returns after all, and comes again, against the watchdog that abandons its lock and
 * reuses what it guards: whether it got in again, how many steps the watchdog saw, and how many
 * came after.
 */
@JCStressTest
@Outcome(id = "1, 2, 0", expect = ACCEPTABLE, desc = "Returned and came again before the flag.")
@Outcome(id = "0, 1, 0", expect = ACCEPTABLE, desc = "Returned, and was turned away then.")
@Outcome(
    id = "0, 0, .*",
    expect = FORBIDDEN,
    desc = "What the holder did was not seen, or came after the reuse.")
@Outcome(
    id = "1, [01], .*",
    expect = FORBIDDEN,
    desc = "The holder was let in again behind the watchdog's back.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "A step was lost, or came from nowhere.")
@State
public class ReturnAgainstAbandon {
  private final LockedCell cell = new LockedCell();

  /** A lock that is held. */
  public ReturnAgainstAbandon() {
    if (!cell.lock.tryLock(1)) {
      throw new IllegalStateException("a new lock is not free");
    }
  }

  /** Finishes its step, leaves, and wants in again. */
  @Actor
  public void holder(final III_Result r) {
    cell.steps++;
    cell.lock.unlock();
    r.r1 = cell.step(1) ? 1 : 0;
  }

  /** Abandons the lock, then waits until it is free. */
  @Actor
  public void watchdog(final III_Result r) {
    r.r2 = cell.dispose();
  }

  /** Counts steps behind the watchdog's back. */
  @Arbiter
  public void guarded(final III_Result r) {
    r.r3 = cell.steps - r.r2;
  }
}
