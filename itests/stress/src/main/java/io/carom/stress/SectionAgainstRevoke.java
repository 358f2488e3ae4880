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
 * A device's section against the revocation of its port: whether it was let in, what the bus found
 * in memory after the revocation, and what is there in the end.
 */
@JCStressTest
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "In before; the revocation waited for it.")
@Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "Refused.")
@Outcome(id = "1, 0, .*", expect = FORBIDDEN, desc = "An access behind the revocation.")
@Outcome(id = "0, .*", expect = FORBIDDEN, desc = "A refused section touched memory.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "The revocation gave up, or the access was lost.")
@State
public class SectionAgainstRevoke {
  private final PortKit kit = new PortKit();

  /** The port is open. */
  public SectionAgainstRevoke() {}

  /** Writes to its own range if it may. */
  @Actor
  public void device(final III_Result r) {
    r.r1 = kit.deviceWrites() ? 1 : 0;
  }

  /** Revokes the port and looks at the memory. */
  @Actor
  public void bus(final III_Result r) {
    r.r2 = kit.control.revoke(PortKit.PATIENCE) ? kit.first() : -1;
  }

  /** Looks at the memory in the end. */
  @Arbiter
  public void memory(final III_Result r) {
    r.r3 = kit.first();
  }
}
