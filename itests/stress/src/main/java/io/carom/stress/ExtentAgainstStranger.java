package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * A new extent's publication against a stranger who looks up an address that nobody gave him, again
 * and again until something is found: 1 the extent, 2 a half-made one.
 */
@JCStressTest
@Outcome(id = "1", expect = ACCEPTABLE, desc = "Found, and whole.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "A half-made extent was found.")
@State
public class ExtentAgainstStranger {
  private final ExtentIndex index = new ExtentIndex();

  /** An index that has another extent near, so that the last step alone makes this one findable. */
  public ExtentAgainstStranger() {
    index.add(ExtentAgainstFind.extent(0, ExtentAgainstFind.BUS + Extent.SET_SIZE));
  }

  /** Makes an extent and makes it findable. */
  @Actor
  public void granter() {
    index.add(ExtentAgainstFind.extent(1, ExtentAgainstFind.BUS));
  }

  /** Looks until something is found. */
  @Actor
  public void stranger(final I_Result r) {
    ExtentState found = index.find(ExtentAgainstFind.BUS);
    while (found == null) {
      Thread.onSpinWait();
      found = index.find(ExtentAgainstFind.BUS);
    }
    r.r1 = ExtentAgainstFind.judge(found);
  }
}
