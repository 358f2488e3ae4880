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
 * Two unmaps of one mapping that is copied back: claimed by compare-and-set, without the lock.
 * Whether each succeeded, and whether the mapping ended once with the device's bytes in the buffer.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The first ended it, the second was told.")
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "The second ended it, the first was told.")
@Outcome(id = "1, 1, .*", expect = FORBIDDEN, desc = "Both ended one mapping.")
@Outcome(id = "0, 0, .*", expect = FORBIDDEN, desc = "Nobody ended the mapping.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "Not copied back, or not released exactly once.")
@State
public class UnmapTwiceFromDevice {
  private final MapKit kit = MapKit.take();
  private final long bus = kit.map(DmaDirection.FROM_DEVICE);

  /** One mapping, written by the device. */
  public UnmapTwiceFromDevice() {
    kit.deviceWrites(bus);
  }

  /** Unmaps. */
  @Actor
  public void first(final III_Result r) {
    r.r1 = kit.unmap(bus, DmaDirection.FROM_DEVICE) ? 1 : 0;
  }

  /** Unmaps the same. */
  @Actor
  public void second(final III_Result r) {
    r.r2 = kit.unmap(bus, DmaDirection.FROM_DEVICE) ? 1 : 0;
  }

  /** Looks at the buffer, the counts and the strategy. */
  @Arbiter
  public void driver(final III_Result r) {
    r.r3 = kit.driverReadsDevices() && kit.released() == 1 && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
