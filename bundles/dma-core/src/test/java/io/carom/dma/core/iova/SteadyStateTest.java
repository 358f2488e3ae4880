package io.carom.dma.core.iova;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.carom.dma.ScatterList;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.GenerationTable;
import io.carom.dma.spi.FlushPlan;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What maps and unmaps go through costs no heap once it has grown to its working set. */
class SteadyStateTest {
  private static final long G = 4096;
  private static final int DEPTH = 64;
  private static final int ROUNDS = 2_000;
  private static final long FIXED_BYTES = 64_000; // half a byte for each mapping

  private final Addresses space = new Addresses(G, 0, (1L << 40) - 1, 2, new long[0]);
  private final RemapTable table = new RemapTable(G);
  private final FlushQueue queue =
      new FlushQueue(space, () -> {}, System::nanoTime, 2, FlushPlan.STRIPED);
  private final Pieces pieces = new Pieces(G);
  private final ScatterList list = new ScatterList(24);
  private final Remapped claimed = new Remapped();
  private final Generation generation = new Generation(1, 1, "iommu-lazy", null, 1 << 20);
  private final RemapTable.Owner owner = slot -> generation;
  private final long[] live = new long[DEPTH];

  @Test
  void allocatesNothing() {
    new GenerationTable().add(generation);
    for (int i = 0; i < list.capacity(); i++) {
      list.add(0x100_0000 + (i * 3L * G), G);
    }
    rounds();
    rounds();
    final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    final long before = threads.getCurrentThreadAllocatedBytes();
    rounds();
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(FIXED_BYTES);
    queue.flushAll();
    assertThat(space.leasedBytes()).isZero();
    assertThat(generation.live()).isZero();
    assertThat(generation.unmaps()).isEqualTo(3L * ROUNDS * DEPTH);
  }

  private void rounds() {
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < DEPTH; i++) {
        list.unmapped();
        pieces.lay(list, -1);
        live[i] = space.lease(i, pieces.ioBytes(), -1);
        table.begin(
            live[i], pieces.ioBytes(), live[i], 0x100_0000, 24 * G, 1, 3, generation, i & 1, 0);
        pieces.addRuns(list, live[i], 1 << 20, -1);
        table.live(live[i]);
      }
      for (int i = 0; i < DEPTH; i++) {
        if (table.claim(live[i], 24 * G, 1, true, owner, claimed) != RemapTable.Found.CLAIMED) {
          throw new AssertionError("mapping " + i + " is gone");
        }
        table.end(claimed);
        queue.add(claimed.stripe, claimed.iova, claimed.ioBytes);
      }
    }
  }
}
