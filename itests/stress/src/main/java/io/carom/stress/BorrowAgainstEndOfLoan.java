package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.DmaDirection;
import io.carom.dma.core.pool.Generation;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A map that borrows from the draining generation against the end of the drain: whether it was
 * lent, how many live mappings the swap found after the second grace, and whether all is whole.
 */
@JCStressTest
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "Lent in time; the swap sees the mapping.")
@Outcome(id = "-1, 0, 1", expect = ACCEPTABLE, desc = "The loan was over: the map failed.")
@Outcome(
    id = "0, 0, .*",
    expect = FORBIDDEN,
    desc = "Lent by a generation that was found empty and closed.")
@Outcome(id = "-1, 1, .*", expect = FORBIDDEN, desc = "A failed map left a live mapping.")
@Outcome(id = "1, .*", expect = FORBIDDEN, desc = "The full pool placed a buffer.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The mapping's bytes, record or end are wrong.")
@State
public class BorrowAgainstEndOfLoan {
  private final MapKit kit = MapKit.takeBorrowing();
  private long bus;

  /** While the old generation drains and lends. */
  public BorrowAgainstEndOfLoan() {}

  /** Maps a buffer; only the old generation has room. */
  @Actor
  public void borrower(final III_Result r) {
    bus = kit.map(DmaDirection.FROM_DEVICE);
    r.r1 = kit.servedBy(bus);
  }

  /** Ends the loan as the end of a drain does, and counts what is left. */
  @Actor
  public void swap(final III_Result r) {
    kit.next.lender(null);
    kit.old.state(Generation.State.CLOSED);
    kit.grace();
    r.r2 = (int) kit.old.live();
  }

  /** Uses and ends the mapping, if there is one. */
  @Arbiter
  public void driver(final III_Result r) {
    boolean whole = bus < 0 || kit.deviceReadsBuffer(bus);
    if (whole && bus >= 0) {
      kit.deviceWrites(bus);
      whole = kit.unmap(bus, DmaDirection.FROM_DEVICE) && kit.driverReadsDevices();
    }
    r.r3 = whole && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
