package io.carom.dma.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.memory.LazyMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Pages of a device's region, beside a plain search of all places from the last one down. */
class RegionSpaceTest {
  private static final long BUS = 0x80_0000_0000L;
  private static final int PAGE = 4096;
  private static final int PAGES = 512;
  private static final int RESERVED = 64;
  private static final int STEPS = 20_000;

  private final RegionSpace space =
      new RegionSpace(
          new DmaDeviceSpec.Region(BUS, LazyMemory.allocate(PAGES * PAGE), RESERVED * PAGE),
          new ExtentIndex(),
          new AtomicInteger());
  private final boolean[] taken = new boolean[PAGES];
  private final List<ExtentState> owned = new ArrayList<>();

  @Test
  void takesTheLastPlaceThatIsFreeAndAligned() {
    final Random random = new Random(7);
    for (int step = 0; step < STEPS; step++) {
      if (random.nextInt(100) < 55) {
        take(1 << random.nextInt(4), 1 << random.nextInt(4));
      } else if (!owned.isEmpty()) {
        final ExtentState extent = owned.remove(random.nextInt(owned.size()));
        mark(extent, false);
        space.give(extent);
      }
    }
  }

  private void take(final int count, final int align) {
    final @Nullable ExtentState extent =
        space.takePages((long) count * PAGE, (long) align * PAGE - 1, Long.MAX_VALUE);
    final int expected = lastFree(count, align);
    if (extent == null) {
      assertThat(expected).isNegative();
      return;
    }
    assertThat(extent.extent.busAddress()).isEqualTo(BUS + (long) expected * PAGE);
    assertThat(extent.extent.size()).isEqualTo((long) count * PAGE);
    mark(extent, true);
    owned.add(extent);
  }

  private int lastFree(final int count, final int align) {
    for (int start = PAGES - count; start >= RESERVED; start--) {
      boolean free = start % align == 0;
      for (int page = start; free && page < start + count; page++) {
        free = !taken[page];
      }
      if (free) {
        return start;
      }
    }
    return -1;
  }

  private void mark(final ExtentState extent, final boolean value) {
    final int start = (int) ((extent.extent.busAddress() - BUS) / PAGE);
    for (int page = start; page < start + extent.extent.size() / PAGE; page++) {
      taken[page] = value;
    }
  }
}
