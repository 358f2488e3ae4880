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
 * The driver makes a chain available in a packed ring while the device goes to sleep, with event
 * places: whether the driver rang, whether the device saw the chain, and whether the chain is there
 * then.
 */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "The device sleeps and is woken.")
@Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "The device saw the chain and stays awake.")
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Both: one doorbell too many is harmless.")
@Outcome(id = "0, 0, .*", expect = FORBIDDEN, desc = "A lost wake-up: the chain is never served.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The chain is not there, or not whole.")
@State
public class PackedDoorbellByEvent {
  private final RingKit ring = new RingKit(VirtioFeatures.RING_PACKED | VirtioFeatures.EVENT_IDX);

  /** The device has asked for a doorbell at place 0, which is past. */
  public PackedDoorbellByEvent() {
    ring.deviceSleeps();
    ring.offer(0, false);
    if (!ring.pop()) {
      throw new IllegalStateException("nothing was popped");
    }
  }

  /** Offers a chain. */
  @Actor
  public void driver(final III_Result r) {
    r.r1 = ring.offer(1, false) ? 1 : 0;
  }

  /** Asks for a doorbell and looks once more. */
  @Actor
  public void device(final III_Result r) {
    r.r2 = ring.deviceSleeps() ? 1 : 0;
  }

  /** Pops the chain. */
  @Arbiter
  public void awake(final III_Result r) {
    r.r3 = ring.pop() && ring.poppedRight() ? 1 : 0;
  }
}
