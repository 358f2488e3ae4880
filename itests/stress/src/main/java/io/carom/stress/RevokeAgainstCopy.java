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
 * The core revokes a mapping whose driver unmaps it: how many were revoked, and whether the bytes
 * were copied back as a whole or not at all. The driver's unmap is accepted either way.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "Unmapped in time, and copied back.")
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Revoked: nothing is copied, all is quiet.")
@Outcome(id = "0, .*", expect = FORBIDDEN, desc = "The driver's own unmap was refused.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "Bytes, counts or the strategy are wrong.")
@State
public class RevokeAgainstCopy {
  private final MapKit kit = MapKit.take();
  private final long bus = kit.map(DmaDirection.FROM_DEVICE);

  /** One mapping of a generation that has been replaced, written by the device. */
  public RevokeAgainstCopy() {
    kit.deviceWrites(bus);
    kit.publish();
    kit.grace();
  }

  /** Unmaps. */
  @Actor
  public void driver(final III_Result r) {
    r.r1 = kit.unmap(bus, DmaDirection.FROM_DEVICE) ? 1 : 0;
  }

  /** Revokes. */
  @Actor
  public void core(final III_Result r) {
    r.r2 = kit.revoke();
  }

  /** Looks at the buffer, the counts and the strategy. */
  @Arbiter
  public void judge(final III_Result r) {
    final boolean bytes = r.r2 == 0 ? kit.driverReadsDevices() : kit.driverReadsItsOwn();
    r.r3 = bytes && kit.released() == 1 && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
