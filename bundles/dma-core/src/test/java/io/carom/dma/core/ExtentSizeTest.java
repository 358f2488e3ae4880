package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.SwapOptions;
import io.carom.dma.spi.Extent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a pool is granted where there is no room for extents of the size that it wants. */
class ExtentSizeTest {
  private static final int SETS = 5;

  private final CoreKit kit = new CoreKit();

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void smallerExtentsAreOfWholeSetsToo() {
    final SlotStrategy odd = new SlotStrategy(0, 1);
    odd.extentBytes = (long) SETS * Extent.SET_SIZE;
    kit.add("even", new SlotStrategy(0, 1), 2);
    kit.add("odd", odd, 1);
    final DmaDevice device = kit.regionDevice("a", 256 * (1 + SETS), true);
    kit.use(device, "even");
    final long buffer = kit.guest.buffer(Extent.SET_SIZE, 1);
    final long[] bus = new long[3];
    for (int i = 0; i < bus.length; i++) {
      bus[i] = device.map(buffer, Extent.SET_SIZE, DmaDirection.TO_DEVICE, 0);
    }
    device.unmap(bus[0], Extent.SET_SIZE, DmaDirection.TO_DEVICE, 0);
    device.unmap(bus[1], Extent.SET_SIZE, DmaDirection.TO_DEVICE, 0);
    // The set in the middle stays: no five that follow each other are to be had, nor any half.
    kit.use(device, "odd", new SwapOptions(null, 0L, null));
    final PoolOccupancy pool = kit.core.occupancy("odd@a");
    assertThat(pool.extents()).isNotEmpty();
    assertThat(pool.extents())
        .allSatisfy(extent -> assertThat(extent.slots() % Extent.SET_SLOTS).isZero());
    device.unmap(bus[2], Extent.SET_SIZE, DmaDirection.TO_DEVICE, 0);
  }
}
