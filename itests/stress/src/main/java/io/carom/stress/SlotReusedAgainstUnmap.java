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
 * An unmap and a map that uses the slot again, against a second unmap of the first mapping: which
 * unmaps were accepted, and whether as many mappings are left as were not ended, a slot for each.
 * The second unmap may end the new mapping, which has the address of the first.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The second unmap was told.")
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "The second came first.")
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "The second ended the new mapping.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "A slot was released twice or never.")
@State
public class SlotReusedAgainstUnmap {
  private final SlotKit kit = SlotKit.take();
  private final long first = kit.map();
  private long second;

  /** One mapping. */
  public SlotReusedAgainstUnmap() {}

  /** Unmaps and maps again. */
  @Actor
  public void driver(final III_Result r) {
    r.r1 = kit.unmap(first) ? 1 : 0;
    second = kit.map();
  }

  /** Unmaps what the other one unmaps too. */
  @Actor
  public void wrong(final III_Result r) {
    r.r2 = kit.unmap(first) ? 1 : 0;
  }

  /** Counts mappings and slots. */
  @Arbiter
  public void slots(final III_Result r) {
    final int left = 2 - r.r1 - r.r2;
    final boolean right = second >= 0 && kit.live() == left && kit.slots(left);
    kit.unmap(first);
    kit.unmap(second);
    r.r3 = right && kit.live() == 0 && kit.slots(0) ? 1 : 0;
    kit.giveBack();
  }
}
