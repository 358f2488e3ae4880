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
 * The device returns two chains in a packed ring while the driver looks twice: how many it took,
 * and whether id, length and buffer of each were what the device wrote before the flags.
 */
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Nothing there yet.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "One used entry, complete.")
@Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "Both used entries, complete and in order.")
@Outcome(id = ".*, 0", expect = FORBIDDEN, desc = "The flags were seen before what they stand for.")
@State
public class PackedUsedRing {
  private final RingKit ring = new RingKit(VirtioFeatures.RING_PACKED);

  /** Two chains popped. */
  public PackedUsedRing() {
    for (int entry = 0; entry < 2; entry++) {
      ring.offer(entry, true);
      if (!ring.pop()) {
        throw new IllegalStateException("nothing was popped");
      }
    }
  }

  /** Returns two chains, one after the other. */
  @Actor
  public void device() {
    ring.answer();
    ring.answer();
  }

  /** Looks twice. */
  @Actor
  public void driver(final II_Result r) {
    r.r2 = 1;
    for (int look = 0; look < 2; look++) {
      final int found = ring.take();
      r.r1 += found == 0 ? 0 : 1;
      r.r2 &= found == 2 ? 0 : 1;
    }
  }
}
