package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.DmaDirection;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Two unmaps of one mapping while a swap moves its extent as soon as it is empty: whether each was
 * accepted, and whether the mapping ended once.
 *
 * <p>The swap is the second driver's thread, behind its unmap: before an unmap has succeeded there
 * is nothing to move, and so the move meets either the end of the first unmap or all of it, as one
 * of a third thread would, for which jcstress needs three processors.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The first ended it, the second was told.")
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "The second ended it, the first was told.")
@Outcome(id = "1, 1, .*", expect = FORBIDDEN, desc = "Both ended one mapping.")
@Outcome(id = "0, 0, .*", expect = FORBIDDEN, desc = "Nobody ended the mapping.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "Not released once, or not moved whole.")
@State
public class UnmapTwiceAgainstMove {
  private final MapKit kit = MapKit.take();
  private final long bus = kit.map(DmaDirection.TO_DEVICE);

  /** One mapping of a generation that has been replaced. */
  public UnmapTwiceAgainstMove() {
    kit.publish();
    kit.grace();
  }

  /** Unmaps. */
  @Actor
  public void first(final III_Result r) {
    r.r1 = kit.unmap(bus, DmaDirection.TO_DEVICE) ? 1 : 0;
  }

  /** Unmaps the same, and moves the extent if it is empty. */
  @Actor
  public void second(final III_Result r) {
    r.r2 = kit.unmap(bus, DmaDirection.TO_DEVICE) ? 1 : 0;
    kit.move();
  }

  /** Looks at the counts and the strategy. */
  @Arbiter
  public void judge(final III_Result r) {
    kit.moveBack();
    r.r3 = kit.released() == 1 && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
