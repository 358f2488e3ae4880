package io.carom.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.spi.Extent;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A new extent's publication against who looks for an address in it: whether the address had been
 * handed out, and what was found for it (0 nothing, 1 the extent, 2 a half-made one).
 */
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Handed out, and found.")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "Not there yet.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Found before an address of it is handed out.")
@Outcome(id = "1, 0", expect = FORBIDDEN, desc = "An address is out whose extent is not found.")
@Outcome(id = ".*, 2", expect = FORBIDDEN, desc = "A half-made extent was found.")
@State
public class ExtentAgainstFind {
  private static final long BUS = 0x40_0000_0000L;
  private static final MemorySegment MEMORY = MemorySegment.ofArray(new long[1]);

  private final ExtentIndex index = new ExtentIndex();
  private final AtomicLong handed = new AtomicLong();

  /** An empty index. */
  public ExtentAgainstFind() {}

  /** Makes an extent findable, then hands an address out as a ring's index does: with release. */
  @Actor
  public void granter() {
    final Extent extent = new Extent(1, ExtentKind.DEVICE, BUS, Extent.SET_SIZE);
    index.add(new ExtentState(extent, MEMORY, 0));
    handed.setRelease(BUS);
  }

  /** Looks whether an address came, and for its extent. */
  @Actor
  public void finder(final II_Result r) {
    r.r1 = handed.getAcquire() == BUS ? 1 : 0;
    r.r2 = judge(index.find(BUS + Extent.SLOT_SIZE));
  }

  private static int judge(final @Nullable ExtentState found) {
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
