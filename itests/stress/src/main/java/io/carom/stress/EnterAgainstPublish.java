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
 * A map against the publication of another generation and its grace: which generation served the
 * map, how many live mappings the swap found in the old one, and whether the mapping is whole.
 */
@JCStressTest
@Outcome(
    id = "0, 1, 1",
    expect = ACCEPTABLE,
    desc = "The map entered the old generation, and the swap waited for its record.")
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The map used the new generation.")
@Outcome(
    id = "0, 0, .*",
    expect = FORBIDDEN,
    desc = "A record appeared in the old generation behind its grace.")
@Outcome(
    id = "1, 1, .*",
    expect = FORBIDDEN,
    desc = "The old generation counts a mapping that the new one made.")
@Outcome(id = "-1, .*", expect = FORBIDDEN, desc = "The map failed although both have room.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The mapping's bytes, record or end are wrong.")
@State
public class EnterAgainstPublish {
  private final MapKit kit = MapKit.take();
  private long bus;

  /** Before a swap. */
  public EnterAgainstPublish() {}

  /** Maps a buffer. */
  @Actor
  public void mapper(final III_Result r) {
    bus = kit.map(DmaDirection.FROM_DEVICE);
    r.r1 = kit.servedBy(bus);
  }

  /** Publishes the new generation, waits out the old one and counts what is left in it. */
  @Actor
  public void swap(final III_Result r) {
    kit.publish();
    kit.grace();
    r.r2 = (int) kit.old.live();
  }

  /** Uses and ends the mapping. */
  @Arbiter
  public void driver(final III_Result r) {
    boolean whole = bus >= 0 && kit.deviceReadsBuffer(bus);
    if (whole) {
      kit.deviceWrites(bus);
      whole = kit.unmap(bus, DmaDirection.FROM_DEVICE) && kit.driverReadsDevices() && kit.clean();
    }
    r.r3 = whole ? 1 : 0;
    kit.giveBack();
  }
}
