package io.carom.dma.core.debug;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.dma.core.TestGuest;
import io.carom.pci.BusAccess;
import io.carom.pci.BusSession;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Two right drivers on one device, while checks go on and off: nobody is blamed. */
class DebugSoakTest {
  private static final long SEED = Long.getLong("carom.seed", 20260402L);
  private static final DmaDirection[] DIRECTIONS = DmaDirection.values();
  private static final int SIZE = 16_384;
  private static final int ROUNDS = 6_000;

  @Test
  void twoDriversWhoAreRightWhileStrategiesAreSwapped() throws InterruptedException {
    try (DebugKit kit = new DebugKit()) {
      final DmaDevice device = kit.bouncing();
      final AtomicReference<Throwable> failure = new AtomicReference<>();
      final AtomicBoolean done = new AtomicBoolean();
      final List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        final SplittableRandom random = new SplittableRandom(SEED + i);
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        new Worker(kit, device, random).run();
                      } catch (final Throwable e) {
                        failure.set(e);
                      }
                    }));
      }
      final Thread swapper =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; !done.get(); i++) {
                      kit.core.use(device, i % 2 == 0 ? "direct" : "slots");
                      if (i % 5 == 4) {
                        kit.debug.enable(null, false);
                        kit.debug.enable(null, true);
                      }
                    }
                  });
      for (final Thread thread : threads) {
        thread.join(60_000);
        assertThat(thread.isAlive()).as("seed %d", SEED).isFalse();
      }
      done.set(true);
      swapper.join(60_000);
      assertThat(failure.get()).as("seed %d", SEED).isNull();
      assertThat(kit.debug.errors()).as("seed %d", SEED).isEmpty();
      assertThat(kit.debug.state().error_count()).as("seed %d", SEED).isZero();
      assertThat(kit.debug.dump(null)).as("seed %d", SEED).isEmpty();
      assertThat(device.liveMappings()).isZero();
    }
  }

  private static final class Worker {
    private final DebugKit kit;
    private final TestGuest guest;
    private final DmaDevice device;
    private final SplittableRandom random;
    private final BusSession session = new TestPorts.Session();
    private final long buffer;
    private final ScatterList list = new ScatterList(4);

    Worker(final DebugKit kit, final DmaDevice device, final SplittableRandom random) {
      this.kit = kit;
      guest = kit.core.guest;
      this.device = device;
      this.random = random;
      buffer = guest.buffer(SIZE, 0);
    }

    void run() {
      for (int round = 0; round < ROUNDS; round++) {
        final DmaDirection direction = DIRECTIONS[random.nextInt(3)];
        switch (random.nextInt(8)) {
          case 0 -> list(direction);
          case 1 -> coherent();
          default -> single(direction);
        }
      }
    }

    private void single(final DmaDirection direction) {
      final int size = 4096 * (1 + random.nextInt(4)); // whole pages: in place they are alone
      guest.segment(buffer, size).fill((byte) random.nextInt());
      final long bus = device.map(buffer, size, direction, 0);
      if (device.mappingError(bus)) {
        return;
      }
      for (int i = random.nextInt(3); i > 0; i--) {
        final int from = random.nextInt(size);
        final int length = 1 + random.nextInt(size - from);
        work(bus, size, direction);
        device.syncForCpu(bus + from, length, direction);
        device.cpuAccess(buffer + from, length, false);
        if (direction.toDevice()) {
          guest.segment(buffer + from, length).fill((byte) random.nextInt());
        }
        device.syncForDevice(bus + from, length, direction);
      }
      work(bus, size, direction);
      device.unmap(bus, size, direction, 0);
      device.cpuAccess(buffer, size, true);
    }

    private void list(final DmaDirection direction) {
      list.clear();
      for (int i = 0; i < 4; i++) {
        list.add(buffer + i * 4096L, 4096);
      }
      if (device.mapSg(list, direction, 0) == 0) {
        return;
      }
      for (int i = 0; i < 4; i++) {
        work(list.busAddress(i), 4096, direction);
      }
      device.syncSgForCpu(list, direction);
      device.syncSgForDevice(list, direction);
      device.unmapSg(list, direction, 0);
    }

    private void coherent() {
      final CoherentBuffer ring = device.allocateCoherent(4096);
      kit.ports.access("00:04.0", session, ring.busAddress(), 4096, BusAccess.WRITE);
      kit.ports.settle("00:04.0", session);
      device.freeCoherent(ring);
    }

    /** The device's part: it uses all of the buffer, and is done before the driver hears of it. */
    private void work(final long bus, final int size, final DmaDirection direction) {
      final BusAccess access = direction.fromDevice() ? BusAccess.WRITE : BusAccess.READ;
      kit.ports.access("00:04.0", session, bus, size, access);
      kit.ports.settle("00:04.0", session);
    }
  }
}
