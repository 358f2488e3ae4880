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
 * A device's access in a section against a move of its own range to other memory: what the bus
 * found in the memory left behind after the move, what is there in the end, and in the new one.
 */
@JCStressTest
@Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "On the old route; the move waited for it.")
@Outcome(id = "0, 0, 1", expect = ACCEPTABLE, desc = "On the new route.")
@Outcome(
    id = "0, 1, .*",
    expect = FORBIDDEN,
    desc = "An access reached the memory that the route had left.")
@Outcome(id = "-1, .*", expect = FORBIDDEN, desc = "The move gave up waiting for the section.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "The access was lost, or done twice.")
@State
public class SectionAgainstRoute {
  private final PortKit kit = new PortKit();

  /** The range lies in the first memory. */
  public SectionAgainstRoute() {}

  /** Writes to its own range. */
  @Actor
  public void device() {
    if (!kit.deviceWrites()) {
      throw new IllegalStateException("the port is not revoked");
    }
  }

  /** Moves the range and looks at what it has left. */
  @Actor
  public void bus(final III_Result r) {
    r.r1 = kit.moveRange() ? kit.first() : -1;
  }

  /** Looks at both memories. */
  @Arbiter
  public void memory(final III_Result r) {
    r.r2 = kit.first();
    r.r3 = kit.second();
  }
}
