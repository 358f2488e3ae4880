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
 * A map that takes the first slot of an extent against a swap that moves the extent as it is empty:
 * who served the map, and how many extents were moved.
 */
@JCStressTest
@Outcome(id = "0, 0, 1", expect = ACCEPTABLE, desc = "Mapped: the extent stays.")
@Outcome(id = "-1, 1, 1", expect = ACCEPTABLE, desc = "Moved: there is no room any more.")
@Outcome(id = "0, 1, .*", expect = FORBIDDEN, desc = "An extent moved with a live mapping.")
@Outcome(id = "-1, 0, .*", expect = FORBIDDEN, desc = "Neither mapped nor moved.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The mapping's bytes, record or end are wrong.")
@State
public class PinAgainstMove {
  private final MapKit kit = MapKit.take();
  private long bus;

  /** An empty extent of the current generation. */
  public PinAgainstMove() {}

  /** Maps a buffer. */
  @Actor
  public void driver(final III_Result r) {
    bus = kit.map(DmaDirection.FROM_DEVICE);
    r.r1 = kit.servedBy(bus);
  }

  /** Moves the extent. */
  @Actor
  public void swap(final III_Result r) {
    r.r2 = kit.move();
  }

  /** Uses and ends the mapping, if there is one. */
  @Arbiter
  public void judge(final III_Result r) {
    boolean whole = bus < 0 || kit.deviceReadsBuffer(bus);
    if (whole && bus >= 0) {
      kit.deviceWrites(bus);
      whole = kit.unmap(bus, DmaDirection.FROM_DEVICE) && kit.driverReadsDevices();
    }
    kit.moveBack();
    r.r3 = whole && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
