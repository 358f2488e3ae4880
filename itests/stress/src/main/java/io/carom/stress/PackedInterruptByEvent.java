package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.virtio.VirtioFeatures;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * The device returns a chain in a packed ring while the driver goes to sleep, with event places:
 * whether the device found an interrupt wanted, whether the driver saw the entry, and whether it is
 * there then.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The driver sleeps and is interrupted.")
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "The driver saw the entry and goes on.")
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Both: one interrupt too many is harmless.")
@Outcome(id = "0, 0, .*", expect = FORBIDDEN, desc = "A lost wake-up: the request never completes.")
@Outcome(id = ".*, [02]", expect = FORBIDDEN, desc = "The used entry is not there, or not whole.")
@State
public class PackedInterruptByEvent {
  private final RingKit ring = new RingKit(VirtioFeatures.RING_PACKED | VirtioFeatures.EVENT_IDX);

  /** One chain is in flight. */
  public PackedInterruptByEvent() {
    ring.offer(0, true);
    if (!ring.pop()) {
      throw new IllegalStateException("nothing was popped");
    }
  }

  /** Returns the chain. */
  @Actor
  public void device(final III_Result r) {
    r.r1 = ring.answer() ? 1 : 0;
  }

  /** Asks for an interrupt and looks once more. */
  @Actor
  public void driver(final III_Result r) {
    r.r2 = ring.driverSleeps() ? 1 : 0;
  }

  /** Takes the used entry. */
  @Arbiter
  public void awake(final III_Result r) {
    r.r3 = ring.take();
  }
}
