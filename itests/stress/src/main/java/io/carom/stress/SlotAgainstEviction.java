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
 * A map that finds an idle slot of a pool, or does not, against the eviction of idle slots: whether
 * the device reaches what was mapped, and each slot is in one state.
 */
@JCStressTest
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "The mapping has its slot, and keeps it.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "It was evicted with a mapping, or has two states.")
@State
public class SlotAgainstEviction {
  private final SlotKit kit = SlotKit.take();
  private long bus;

  /** One idle slot. */
  public SlotAgainstEviction() {
    kit.unmap(kit.map());
  }

  /** Maps. */
  @Actor
  public void driver(final III_Result r) {
    bus = kit.map();
    r.r1 = bus >= 0 ? 1 : 0;
  }

  /** Evicts. */
  @Actor
  public void timer() {
    kit.evict();
  }

  /** Looks at the mapping, then ends it and looks at the slots. */
  @Arbiter
  public void device(final III_Result r) {
    r.r2 = kit.reached(bus) && kit.live() == 1 && kit.slots(1) ? 1 : 0;
    r.r3 = kit.unmap(bus) && kit.live() == 0 && kit.slots(0) ? 1 : 0;
    kit.giveBack();
  }
}
