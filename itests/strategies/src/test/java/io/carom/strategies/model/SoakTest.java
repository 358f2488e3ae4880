package io.carom.strategies.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two threads map, sync and unmap on one device, each verifying every byte of its own, while a
 * third swaps the device from the strategy to the others and back. {@code -Dcarom.soakSeconds=N}
 * makes each run longer, {@code -Dcarom.seed=N} gives the seed that a failure names.
 */
class SoakTest {
  private static final int SECONDS = Integer.getInteger("carom.soakSeconds", 2);
  private static final int THREADS = 2;
  private static final int BUFFERS = 24;
  private static final int MOST_BYTES = 40_000;
  private static final int REGION_KIB = 2048;
  private static final int BORROWED_BETWEEN_SWAPS_MS = 3;
  private static final long DRAIN_MS = 20;

  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private volatile boolean stop;
  private long swaps;

  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#every")
  void everyByteIsRightThroughSwaps(final Subject subject) throws Exception {
    final long seed = Long.getLong("carom.seed", System.nanoTime());
    final boolean region = subject.extents() == ExtentKind.DEVICE;
    try (World world = new World(subject)) {
      final ModelDevice device =
          new ModelDevice(
              world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0x1ff)),
              Negotiation.NONE);
      final List<Worker> workers = new ArrayList<>();
      final List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        final Worker worker = new Worker(world, device, new Random(seed + i));
        workers.add(worker);
        threads.add(start(worker::run));
      }
      threads.add(start(() -> swap(world, device, others(subject, region))));
      final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      while (System.nanoTime() - end < 0 && failure.get() == null) {
        Thread.sleep(10);
      }
      stop = true;
      for (final Thread thread : threads) {
        thread.join();
      }
      if (failure.get() != null) {
        throw new AssertionError(
            subject + ": again with -Dcarom.seed=" + seed + ": " + failure.get(), failure.get());
      }
      for (final Worker worker : workers) {
        assertThat(worker.ended).as("mappings of a thread").isGreaterThan(100);
      }
      assertThat(swaps).isPositive();
      atRest(world, device, workers);
    }
  }

  private Thread start(final Work work) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                work.run();
              } catch (final Throwable e) {
                failure.compareAndSet(null, e);
              }
            });
  }

  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  /** The subject, and between its turns everything else that the device may have. */
  private static List<Subject> others(final Subject subject, final boolean region) {
    final List<Subject> result = new ArrayList<>();
    final boolean translated = subject.extents() == ExtentKind.IOVA;
    for (final Subject other : Strategies.every()) {
      if ((region || other.extents() != ExtentKind.DEVICE)
          && (translated || other.extents() != ExtentKind.IOVA)) {
        result.add(other);
        result.add(subject);
      }
    }
    return result;
  }

  private void swap(final World world, final ModelDevice device, final List<Subject> turns)
      throws InterruptedException, ExecutionException, TimeoutException {
    for (int i = 0; !stop; i++) {
      final Subject to = turns.get(i % turns.size());
      try {
        world
            .core
            .use(device.name(), to.strategy(), new SwapOptions(to.extents(), DRAIN_MS, null))
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
        swaps++;
      } catch (final IllegalStateException e) {
        continue; // the one before has not quite ended
      }
      Thread.sleep(BORROWED_BETWEEN_SWAPS_MS);
    }
  }

  private static void atRest(
      final World world, final ModelDevice device, final List<Worker> workers) {
    long ended = 0;
    for (final Worker worker : workers) {
      ended += worker.ended;
    }
    World.await(() -> world.core.transitions().isEmpty(), "swaps end");
    final DmaDeviceInfo info = world.info(device.driven);
    assertThat(info.live()).isZero();
    assertThat(info.maps()).isEqualTo(ended);
    assertThat(info.unmaps()).isEqualTo(ended);
    assertThat(info.io_tlb_used()).isZero();
    assertThat(info.strategyErrors()).isZero();
    assertThat(world.usedSlots()).isZero();
  }

  /** One thread and its buffers. */
  private final class Worker {
    private final World world;
    private final ModelDevice device;
    private final Random random;
    private final List<Shadow> buffers = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();
    private final List<Mapping> live = new ArrayList<>();
    private long ended;

    Worker(final World world, final ModelDevice device, final Random random) {
      this.world = world;
      this.device = device;
      this.random = random;
      for (int i = 0; i < BUFFERS; i++) {
        final long address = world.guest.buffer(MOST_BYTES + 4096, 0);
        addresses.add(address);
        buffers.add(new Shadow(world.guest.memory.segment(address, MOST_BYTES + 4096)));
      }
    }

    void run() {
      while (!stop) {
        final int dice = random.nextInt(8);
        if (live.isEmpty() || (dice < 2 && !buffers.isEmpty())) {
          map();
        } else if (dice < 4) {
          sync(any());
        } else if (dice < 5) {
          any().check();
        } else {
          unmap(any());
        }
      }
      while (!live.isEmpty()) {
        unmap(live.getLast());
      }
    }

    private Mapping any() {
      return live.get(random.nextInt(live.size()));
    }

    private void map() {
      final int cell = BUFFERS - buffers.size();
      final int size = 1 + random.nextInt(random.nextInt(4) == 0 ? MOST_BYTES : 4096);
      final int offset = random.nextInt(4096);
      final Shadow whole = buffers.removeLast();
      final long address = addresses.removeLast();
      final Shadow bytes = whole.part(offset, size);
      bytes.write(random);
      final DmaDirection direction = DmaDirection.values()[random.nextInt(3)];
      final long bus =
          device.driven.dma.map(
              address + offset,
              size,
              direction,
              random.nextInt(4) == 0 ? DmaAttributes.MAY_SLEEP : 0);
      if (bus < 0) {
        buffers.add(whole);
        addresses.add(address);
        Thread.yield();
        return;
      }
      final boolean pass = world.inPlace(device.driven, bus, address + offset);
      final Mapping made = new Mapping(device, address, bus, direction, bytes, whole, cell, pass);
      live.add(made);
      made.check();
    }

    private void sync(final Mapping mapping) {
      final int offset = random.nextInt(mapping.size);
      final int size = 1 + random.nextInt(mapping.size - offset);
      final MemorySegment noise = Shadow.noise(random, size);
      device.driven.write(mapping.bus + offset, noise);
      mapping.seen().asSlice(offset, size).copyFrom(noise);
      device.driven.dma.syncForCpu(mapping.bus + offset, size, mapping.direction);
      if (mapping.direction.fromDevice()) {
        mapping.toCpu(offset, size);
      }
      mapping.check();
      mapping.buffer.part(offset, size).write(random);
      device.driven.dma.syncForDevice(mapping.bus + offset, size, mapping.direction);
      if (mapping.direction.toDevice()) {
        mapping.toDevice(offset, size);
      }
      mapping.check();
    }

    private void unmap(final Mapping mapping) {
      mapping.check();
      device.driven.dma.unmap(mapping.bus, mapping.size, mapping.direction, 0);
      if (mapping.direction.fromDevice()) {
        mapping.toCpu(0, mapping.size);
      }
      mapping.around.check("buffer after the unmap of " + mapping);
      live.remove(mapping);
      buffers.add(mapping.around);
      addresses.add(mapping.address);
      ended++;
    }
  }
}
