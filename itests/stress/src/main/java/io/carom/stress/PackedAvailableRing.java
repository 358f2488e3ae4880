package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.virtio.VirtioFeatures;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * The driver makes two chains available in a packed ring while the device looks twice: how many it
 * popped, and whether descriptor and buffer of each were what the driver wrote before the flags.
 */
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Nothing there yet.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "One chain, complete.")
@Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "Both chains, complete and in order.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The flags were seen before what they stand for.")
@State
public class PackedAvailableRing {
  private final RingKit ring = new RingKit(VirtioFeatures.RING_PACKED);

  /** An empty ring. */
  public PackedAvailableRing() {}

  /** Offers two chains, one after the other. */
  @Actor
  public void driver() {
    ring.offer(0, false);
    ring.offer(1, false);
  }

  /** Looks twice. */
  @Actor
  public void device(final II_Result r) {
    r.r2 = 1;
    for (int look = 0; look < 2; look++) {
      if (ring.pop()) {
        r.r1++;
        r.r2 &= ring.poppedRight() ? 1 : 0;
      }
    }
  }
}
