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
 * A device's sections, one after another until it is refused, against the revocation of its port:
 * whether it was ever let in, whether the memory was as it stays when the revocation returned, and
 * whether it is what the last section wrote that was let in. The device never rests, so that every
 * revocation meets a section that begins or ends.
 */
@JCStressTest
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "The revocation waited for the last section.")
@Outcome(id = ".*, 0, .*", expect = FORBIDDEN, desc = "An access behind the revocation.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "A refused section wrote, or an access was lost.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "The revocation gave up, or nothing was let in.")
@State
public class SectionAgainstRevoke {
  private final PortKit kit = new PortKit();

  /** The port is open. */
  public SectionAgainstRevoke() {}

  /** Writes 1, 2, 3 and so on to its own range while it may. */
  @Actor
  public void device(final III_Result r) {
    int written = 0;
    kit.clutter();
    while (kit.deviceWrites(written + 1)) {
      written++;
      kit.clutter();
    }
    r.r1 = written;
  }

  /** Revokes the port amid the sections and looks at the memory. */
  @Actor
  public void bus(final III_Result r) {
    kit.awaitFirst();
    r.r2 = kit.control.revoke(PortKit.PATIENCE) ? kit.first() : -1;
  }

  /** Looks at the memory in the end. */
  @Arbiter
  public void memory(final III_Result r) {
    final int end = kit.first();
    r.r3 = r.r1 == end ? 1 : 0;
    r.r2 = r.r2 < 0 ? -1 : r.r2 == end ? 1 : 0;
    r.r1 = r.r1 == 0 ? 0 : 1;
  }
}
