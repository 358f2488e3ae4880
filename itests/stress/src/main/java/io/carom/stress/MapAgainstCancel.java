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
 * A map against a swap that is taken back: who served it, and how many mappings of the new
 * generation the swap found after its grace.
 */
@JCStressTest
@Outcome(id = "0, 0, 1", expect = ACCEPTABLE, desc = "Served by the one that came back.")
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Served by the one that drains now, and seen.")
@Outcome(
    id = "1, 0, .*",
    expect = FORBIDDEN,
    desc = "Served by a generation that was found empty after its grace.")
@Outcome(id = "-1, .*", expect = FORBIDDEN, desc = "A map failed where both have room.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The mapping's bytes, record or end are wrong.")
@State
public class MapAgainstCancel {
  private final MapKit kit = MapKit.take();
  private long bus;

  /** A swap whose old generation drains and lends. */
  public MapAgainstCancel() {
    kit.next.lender(kit.old);
    kit.publish();
    kit.grace();
  }

  /** Maps a buffer. */
  @Actor
  public void driver(final III_Result r) {
    bus = kit.map(DmaDirection.FROM_DEVICE);
    r.r1 = kit.servedBy(bus);
  }

  /** Takes the swap back, waits for those inside, and counts what drains. */
  @Actor
  public void swap(final III_Result r) {
    kit.cancel();
    kit.graceOfNext();
    r.r2 = (int) kit.next.live();
  }

  /** Uses and ends the mapping. */
  @Arbiter
  public void judge(final III_Result r) {
    boolean whole = bus >= 0 && kit.deviceReadsBuffer(bus);
    if (whole) {
      kit.deviceWrites(bus);
      whole = kit.unmap(bus, DmaDirection.FROM_DEVICE) && kit.driverReadsDevices();
    }
    r.r3 = whole && kit.clean() ? 1 : 0;
    kit.old.lender(null);
    kit.giveBack();
  }
}
