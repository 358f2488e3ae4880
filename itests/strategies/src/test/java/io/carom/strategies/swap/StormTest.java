package io.carom.strategies.swap;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Swaps one after another through all strategies that bounce, while threads map: with capacity of
 * twice the peak in flight no map fails, as extents flow and what is short of them borrows.
 */
class StormTest {
  private static final int THREADS = 3;
  private static final int DEPTH = 40;
  private static final int SIZE = 4096;
  private static final int SWAPS = Integer.getInteger("carom.storm.swaps", 120);
  private static final long SEED = Long.getLong("carom.seed", System.nanoTime());

  private static int peakKib() {
    return (THREADS * DEPTH * SIZE) >> 10;
  }

  @ParameterizedTest
  @ValueSource(strings = {"DEVICE", "RAM"})
  void noMapFailsAtTwiceThePeak(final ExtentKind kind) throws InterruptedException {
    final List<Subject> subjects =
        kind == ExtentKind.DEVICE ? Strategies.onRegion() : Strategies.onRam();
    try (World world =
        new World(new Subject("swiotlb-fixed", kind), new Guest(96, 64, false, 0), Timing.SYSTEM)) {
      final Driven device = world.device("dev", 2 * peakKib() + 127 & -256);
      final Storm storm = new Storm(world, device);
      storm.start();
      final SplittableRandom random = new SplittableRandom(SEED);
      for (int i = 0; i < SWAPS; i++) {
        final var report = world.use(device, subjects.get(random.nextInt(subjects.size())));
        assertThat(report.failedMaps()).as("seed %d, swap %d: %s", SEED, i, report).isZero();
      }
      storm.end();
      final DmaDeviceInfo info = world.info(device);
      assertThat(storm.wrong.get()).as("wrong bytes, seed %d", SEED).isZero();
      assertThat(storm.rounds.get()).isPositive();
      assertThat(storm.failures).as("seed %d", SEED).isEmpty();
      assertThat(info.failedMaps()).as("seed %d", SEED).isZero();
      assertThat(info.strategyErrors()).as("seed %d", SEED).isZero();
      assertThat(info.live()).isZero();
      assertThat(world.core.quarantined()).isEmpty();
    }
  }

  /** Threads that map, let the device write, unmap and look at every byte. */
  private static final class Storm {
    private final World world;
    private final Driven device;
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLong wrong = new AtomicLong();
    private final AtomicLong rounds = new AtomicLong();
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();

    private record Live(long bus, long buffer, int stamp) {}

    Storm(final World world, final Driven device) {
      this.world = world;
      this.device = device;
    }

    void start() {
      for (int i = 0; i < THREADS; i++) {
        final ArrayDeque<Long> free = new ArrayDeque<>();
        for (int j = 0; j < DEPTH; j++) {
          free.add(world.guest.buffer(SIZE, 0));
        }
        final SplittableRandom random = new SplittableRandom(SEED + i + 1);
        threads.add(Thread.ofPlatform().start(() -> work(random, free)));
      }
    }

    void end() throws InterruptedException {
      stop.set(true);
      for (final Thread thread : threads) {
        thread.join(20_000);
        assertThat(thread.isAlive()).isFalse();
      }
    }

    private void work(final SplittableRandom random, final ArrayDeque<Long> free) {
      final ArrayDeque<Live> live = new ArrayDeque<>();
      while (!stop.get() || !live.isEmpty()) {
        if (!stop.get() && !free.isEmpty() && random.nextInt(5) < 3) {
          final long buffer = free.poll();
          final long bus = device.dma.map(buffer, SIZE, DmaDirection.BIDIRECTIONAL, 0);
          if (bus == DmaDevice.MAPPING_ERROR) {
            free.add(buffer);
            failures.add(live.size() + " live with " + world.info(device).strategy());
            continue;
          }
          final int stamp = random.nextInt();
          stamp(world.memory(bus, SIZE), stamp);
          live.add(new Live(bus, buffer, stamp));
        } else if (!live.isEmpty()) {
          final Live mapping = live.poll();
          device.dma.unmap(mapping.bus, SIZE, DmaDirection.BIDIRECTIONAL, 0);
          if (!stamped(world.guest.memory.segment(mapping.buffer, SIZE), mapping.stamp)) {
            wrong.incrementAndGet();
          }
          free.add(mapping.buffer);
          rounds.incrementAndGet();
        }
      }
    }

    private static void stamp(final MemorySegment memory, final int stamp) {
      for (long i = 0; i < SIZE; i += Integer.BYTES) {
        memory.set(ValueLayout.JAVA_INT, i, stamp + (int) i);
      }
    }

    private static boolean stamped(final MemorySegment memory, final int stamp) {
      for (long i = 0; i < SIZE; i += Integer.BYTES) {
        if (memory.get(ValueLayout.JAVA_INT, i) != stamp + (int) i) {
          return false;
        }
      }
      return true;
    }
  }
}
