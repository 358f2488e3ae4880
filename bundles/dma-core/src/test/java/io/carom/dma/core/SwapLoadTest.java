package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.swap.Settings;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Threads map, let a device change every byte, unmap and check, while strategies are swapped. */
class SwapLoadTest {
  private static final int SIZE = 4096;
  private static final int DEPTH = 16;
  private static final long SEED = Long.getLong("carom.seed", 20260401L);

  @Test
  void everyByteIsRightThroughSwapsAndRemovals() throws InterruptedException {
    final TestGuest guest = new TestGuest(64, 16, false);
    try (CoreKit kit =
        new CoreKit(guest, new Settings("one", true, 1_000, SwapPolicy.ADOPT, 2_000))) {
      final SlotStrategy one = new SlotStrategy(4 << 20, 2);
      final SlotStrategy two = new SlotStrategy(4 << 20, 4);
      kit.add("one", one, 1);
      kit.add("two", two, 2);
      final DmaDevice device = kit.regionDevice("dev", 4096, false);
      final AtomicBoolean stop = new AtomicBoolean();
      final AtomicLong wrong = new AtomicLong();
      final AtomicLong rounds = new AtomicLong();
      final List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        final long seed = SEED + t;
        threads.add(
            Thread.ofPlatform()
                .start(() -> work(guest, device, new SplittableRandom(seed), stop, wrong, rounds)));
      }
      final SplittableRandom random = new SplittableRandom(SEED);
      int swaps = 0;
      for (int i = 0; i < 60; i++) {
        switch (random.nextInt(6)) {
          case 0 -> kit.use(device, "direct");
          case 1, 2 -> kit.use(device, "one");
          case 3, 4 -> kit.use(device, "two");
          default -> {
            kit.core.strategyRemoved(1);
            kit.add("one", one, 1);
          }
        }
        swaps++;
      }
      stop.set(true);
      for (final Thread thread : threads) {
        thread.join(20_000);
        assertThat(thread.isAlive()).isFalse();
      }
      assertThat(wrong.get()).as("seed %d", SEED).isZero();
      assertThat(rounds.get()).isGreaterThan(swaps);
      assertThat(device.liveMappings()).isZero();
      assertThat(kit.info(device).maps()).isEqualTo(kit.info(device).unmaps());
    }
  }

  private static void work(
      final TestGuest guest,
      final DmaDevice device,
      final SplittableRandom random,
      final AtomicBoolean stop,
      final AtomicLong wrong,
      final AtomicLong rounds) {
    final ArrayDeque<long[]> live = new ArrayDeque<>();
    final long[] buffers = new long[DEPTH];
    for (int i = 0; i < DEPTH; i++) {
      buffers[i] = guest.buffer(SIZE, 0);
    }
    final ArrayDeque<Long> free = new ArrayDeque<>();
    for (final long buffer : buffers) {
      free.add(buffer);
    }
    while (!stop.get() || !live.isEmpty()) {
      if (!stop.get() && !free.isEmpty() && random.nextInt(3) != 0) {
        final long buffer = free.poll();
        final int stamp = random.nextInt();
        stamp(guest.segment(buffer, SIZE), stamp);
        final long bus = device.map(buffer, SIZE, DmaDirection.BIDIRECTIONAL, 0);
        if (bus == DmaDevice.MAPPING_ERROR) {
          free.add(buffer);
          continue;
        }
        live.add(new long[] {bus, buffer, stamp});
      } else if (!live.isEmpty()) {
        final long[] mapping = live.poll();
        device.unmap(mapping[0], SIZE, DmaDirection.BIDIRECTIONAL, 0);
        if (!stamped(guest.segment(mapping[1], SIZE), (int) mapping[2])) {
          wrong.incrementAndGet();
        }
        free.add(mapping[1]);
        rounds.incrementAndGet();
      }
    }
  }

  private static void stamp(final MemorySegment memory, final int stamp) {
    for (long i = 0; i < SIZE; i += 4) {
      memory.set(ValueLayout.JAVA_INT, i, stamp + (int) i);
    }
  }

  private static boolean stamped(final MemorySegment memory, final int stamp) {
    for (long i = 0; i < SIZE; i += 4) {
      if (memory.get(ValueLayout.JAVA_INT, i) != stamp + (int) i) {
        return false;
      }
    }
    return true;
  }
}
