package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.DmaDirection;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A driver maps, and stores the address with a plain store, as drivers do; an interrupt gets it
 * through that race and syncs: whether the sync found the mapping, and moved the device's bytes.
 * The second series of dynamic swiotlb patches for Linux lost buffers here.
 */
@JCStressTest
@Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Who has the address finds the mapping.")
@Outcome(id = "0, .*, .*", expect = FORBIDDEN, desc = "An address is out that is not found.")
@Outcome(id = "1, 0, .*", expect = FORBIDDEN, desc = "The sync moved something else.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "The mapping did not end once.")
@State
public class AddressAgainstLookup {
  private static final VarHandle BUS;

  static {
    try {
      BUS = MethodHandles.lookup().findVarHandle(AddressAgainstLookup.class, "bus", long.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final MapKit kit = MapKit.take();
  private long bus;

  /** Nothing mapped. */
  public AddressAgainstLookup() {}

  /** Maps; no fence of its own. */
  @Actor
  public void driver() {
    bus = kit.map(DmaDirection.BIDIRECTIONAL);
  }

  /** Waits for the address, without acquire, then hands the buffer to the CPU at once. */
  @Actor
  public void interrupt(final III_Result r) {
    long seen = (long) BUS.getOpaque(this);
    while (seen == 0) {
      Thread.onSpinWait();
      seen = (long) BUS.getOpaque(this);
    }
    r.r1 = kit.syncForDevice(seen, DmaDirection.BIDIRECTIONAL) ? 1 : 0;
    r.r2 = kit.deviceReadsBuffer(seen) ? 1 : 0;
  }

  /** Unmaps. */
  @Arbiter
  public void driverAgain(final III_Result r) {
    r.r3 = kit.unmap(bus, DmaDirection.BIDIRECTIONAL) && kit.clean() ? 1 : 0;
    kit.giveBack();
  }
}
