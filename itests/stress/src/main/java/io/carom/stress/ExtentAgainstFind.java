package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.StripeLock;
import io.carom.dma.spi.Extent;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * A new extent's publication against who gets an address in it, through a race, and looks it up:
 * what was found (0 nothing, 1 the extent, 2 a half-made one). The finder does nothing but wait for
 * the address, so that every try is close.
 */
@JCStressTest
@Outcome(id = "1", expect = ACCEPTABLE, desc = "Found, and whole.")
@Outcome(id = "0", expect = FORBIDDEN, desc = "An address is out whose extent is not found.")
@Outcome(id = ".*", expect = FORBIDDEN, desc = "A half-made extent was found.")
@State
public class ExtentAgainstFind {
  /** Where the extent is. */
  static final long BUS = 0x40_0000_0000L;

  private static final MemorySegment MEMORY = MemorySegment.ofArray(new long[1]);
  private static final VarHandle HANDED;

  static {
    try {
      HANDED = MethodHandles.lookup().findVarHandle(ExtentAgainstFind.class, "handed", long.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final ExtentIndex index = new ExtentIndex();
  private final StripeLock stripe = new StripeLock();

  @SuppressWarnings("UnusedVariable") // by HANDED alone
  private long handed;

  /** An index that has another extent near, so that the last step alone makes this one findable. */
  public ExtentAgainstFind() {
    index.add(extent(0, BUS - Extent.SET_SIZE));
    index.add(extent(0, BUS + Extent.SET_SIZE));
  }

  /** An extent. */
  static ExtentState extent(final int id, final long bus) {
    return new ExtentState(new Extent(id, ExtentKind.DEVICE, bus, Extent.SET_SIZE), MEMORY, 0);
  }

  /** Makes an extent findable, takes and leaves its stripe, and stores an address of it plainly. */
  @Actor
  public void granter() {
    index.add(extent(1, BUS));
    if (!stripe.tryLock(1)) {
      throw new IllegalStateException("nobody else takes the stripe");
    }
    stripe.unlock();
    handed = BUS;
  }

  /** Waits for the address, without acquire, and looks it up. */
  @Actor
  public void finder(final I_Result r) {
    while ((long) HANDED.getOpaque(this) == 0) {
      Thread.onSpinWait();
    }
    r.r1 = judge(index.find(BUS + Extent.SLOT_SIZE));
  }

  /** 0 for nothing, 1 for the whole extent, 2 for a half-made one. */
  static int judge(final @Nullable ExtentState found) {
    if (found == null) {
      return 0;
    }
    final MappingRecord record = found.record(BUS + Extent.SLOT_SIZE);
    // a half-made one has null in some of these, whatever their types say
    final boolean whole =
        record != null
            && record.state() == MappingRecord.FREE
            && found.memory.equals(MEMORY)
            && found.delta == -BUS
            && found.extent.size() == Extent.SET_SIZE;
    return whole ? 1 : 2;
  }
}
