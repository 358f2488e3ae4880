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
 * A thread that takes a free stripe lock against one that abandons it and reuses what it guards:
 * whether the newcomer got in, how many steps the disposer saw, and how many came after.
 */
@JCStressTest
@Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "In before the flag; the disposer waited.")
@Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "Turned away by the flag.")
@Outcome(
    id = "1, 0, .*",
    expect = FORBIDDEN,
    desc = "The newcomer worked on what the disposer had reused.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "A step was lost, or came from nowhere.")
@State
public class NewcomerAgainstDisposer {
  private final LockedCell cell = new LockedCell();

  /** A free lock. */
  public NewcomerAgainstDisposer() {}

  /** Takes the lock if it still can. */
  @Actor
  public void newcomer(final III_Result r) {
    r.r1 = cell.step(2) ? 1 : 0;
  }

  /** Abandons it, then waits until it is free. */
  @Actor
  public void disposer(final III_Result r) {
    r.r2 = cell.dispose();
  }

  /** Counts steps behind the disposer's back. */
  @Arbiter
  public void guarded(final III_Result r) {
    r.r3 = cell.steps - r.r2;
  }
}
