package io.carom.virtio.device.transport;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkBackend;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues that are served by their threads. */
@Timeout(600)
class WorkerThreadTest {
  private static final long RING = 0x10000;
  private static final long HEADER = 0x20000;
  private static final long STATUS = 0x28000;
  private static final long DATA = 0x40000;
  private static final WorkerOptions SHORT_WAITS =
      new WorkerOptions(true, 1000, 20_000_000, 50_000_000);

  private final Gate gate = new Gate();
  private Driver driver = Disks.drive(SwiotlbPolicy.NONE, Disks.over(gate, false, 2), SHORT_WAITS);

  @AfterEach
  void stop() {
    gate.open.countDown();
    driver.function.unplugged();
  }

  private static void await(final String what, final BooleanSupplier condition) {
    final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(300);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 300 s: " + what);
      }
      Thread.yield();
    }
  }

  private static boolean threadLives(final String name) {
    return Thread.getAllStackTraces().keySet().stream().anyMatch(t -> t.getName().equals(name));
  }

  private void offerRead(final DriverQueue queue, final int slot, final long sector) {
    driver.header(HEADER + 16L * slot, BlkDescriptor.T_IN, sector);
    queue.desc(3 * slot, HEADER + 16L * slot, 16, NEXT, 3 * slot + 1);
    queue.desc(3 * slot + 1, DATA + 512L * slot, 512, WRITE | NEXT, 3 * slot + 2);
    queue.desc(3 * slot + 2, STATUS + slot, 1, WRITE, 0);
    queue.offer(3 * slot);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void r10NoWakeUpIsLost(final boolean eventIndex) {
    gate.open.countDown();
    final DriverQueue queue =
        driver.start(
            eventIndex ? VirtioFeatures.EVENT_IDX : 0, new DriverQueue(driver.bus, 64, RING));
    final long seed = Long.getLong("seed", System.nanoTime());
    final Random random = new Random(seed);
    int sent = 0;
    int kicks = 0;
    while (sent < 20_000) {
      final int before = sent;
      final int burst = 1 + random.nextInt(20);
      for (int i = 0; i < burst; i++) {
        offerRead(queue, i, 0);
        sent++;
      }
      // tell the device only when it asks to be told, as a driver does
      VarHandle.fullFence();
      final boolean wanted =
          eventIndex
              ? SplitRingDescriptor.needsEvent(queue.availEvent(), sent, before)
              : queue.usedFlags() == 0;
      if (wanted) {
        driver.kick(0);
        kicks++;
      }
      final int end = sent & 0xffff;
      await("seed " + seed + ", request " + sent, () -> queue.usedIndex() == end);
      if (random.nextInt(50) == 0) {
        LockSupport.parkNanos(200_000); // long enough to park
      }
    }
    assertThat(kicks).isPositive();
    assertThat(driver.status()).isEqualTo(0x0f);
  }

  @Test
  void threadsAreNamedAndEndWhenTheFunctionIsTakenOut() {
    gate.open.countDown();
    driver.start(0, new DriverQueue(driver.bus, 64, RING));
    await("thread", () -> threadLives("blk disk0 q0"));
    assertThat(threadLives("blk disk0 q1")).as("not enabled").isFalse();
    driver.function.unplugged();
    await("end", () -> !threadLives("blk disk0 q0"));
    assertThat(driver.function.isPlugged()).isFalse();
    assertThat(driver.bus.openSections).hasValue(0);
  }

  @Test
  void functionThatIsPluggedAgainStartsFromReset() {
    gate.open.countDown();
    driver.start(0, new DriverQueue(driver.bus, 64, RING));
    driver.function.unplugged();
    driver = new Driver(driver.function, driver.bus);
    assertThat(driver.status()).isZero();
    final DriverQueue queue = driver.start(0, new DriverQueue(driver.bus, 64, RING + 0x80000));
    offerRead(queue, 0, 0);
    driver.kick(0);
    await("request", () -> queue.usedIndex() == 1);
  }

  @Test
  void s6ResetWaitsForTheRequestThatIsBeingServed() throws InterruptedException {
    final DriverQueue queue = driver.start(0, new DriverQueue(driver.bus, 64, RING));
    offerRead(queue, 0, 0);
    driver.kick(0);
    gate.entered.await();
    driver.status(0);
    assertThat(driver.status()).as("not complete while a request is inside").isEqualTo(0x0f);
    driver.status(1); // ignored meanwhile
    assertThat(driver.status()).isEqualTo(0x0f);
    gate.open.countDown();
    await("reset", () -> driver.status() == 0);
    // the request ended before the reset did: what is in memory now stays as it is
    final int used = queue.usedIndex();
    driver.bytes(DATA, new byte[512]);
    offerRead(queue, 1, 0);
    driver.kick(0);
    Thread.sleep(20);
    assertThat(queue.usedIndex()).isEqualTo(used);
    assertThat(driver.bytes(DATA, 512)).isEqualTo(new byte[512]);
    assertThat(driver.bus.line).isFalse();
    // and it starts again
    final DriverQueue again = driver.start(0, new DriverQueue(driver.bus, 64, RING + 0x80000));
    offerRead(again, 0, 0);
    driver.kick(0);
    await("request after reset", () -> again.usedIndex() == 1);
  }

  @Test
  void takingOutIsBoundedWhateverABackendDoes() throws InterruptedException {
    final DriverQueue queue = driver.start(0, new DriverQueue(driver.bus, 64, RING));
    offerRead(queue, 0, 0);
    driver.kick(0);
    gate.entered.await();
    final long start = System.nanoTime();
    driver.function.unplugged();
    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(300));
    assertThat(driver.function.isPlugged()).isFalse();
  }

  @Test
  void s6ResetsUnderLoadNeverLetTheOldRingBeUsed() {
    gate.open.countDown();
    final long seed = Long.getLong("seed", System.nanoTime());
    final Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      // two places in turn: what the device writes to the other one is wrong
      final long base = RING + 0x80000L * (round & 1);
      final DriverQueue queue = driver.start(0, new DriverQueue(driver.bus, 64, base));
      for (int i = 0; i < 20; i++) {
        offerRead(queue, i, 0);
      }
      driver.kick(0);
      for (int i = random.nextInt(2000); i > 0; i--) {
        Thread.onSpinWait();
      }
      driver.status(0);
      await("reset, seed " + seed, () -> driver.status() == 0);
      final int used = queue.usedIndex();
      driver.bytes(queue.used, new byte[600]);
      driver.bytes(queue.avail, new byte[134]);
      assertThat(used).isLessThanOrEqualTo(20);
      for (int i = 0; i < 200; i++) {
        Thread.onSpinWait();
      }
      assertThat(queue.usedIndex()).as("round %d, seed %d", round, seed).isZero();
    }
  }

  @Test
  void doubleFetchDescriptorsThatChangeUnderTheDeviceNeverMoveBytesOutside()
      throws InterruptedException {
    gate.open.countDown();
    driver = Disks.drive(SwiotlbPolicy.STRICT, Disks.over(gate, false, 1), SHORT_WAITS);
    final long region = FakeBus.REGION_BASE;
    final var stop = new AtomicBoolean();
    final long end = region + Disks.REGION_BYTES;
    for (int round = 0; round < 50; round++) {
      final DriverQueue queue =
          driver.start(VirtioFeatures.SWIOTLB, new DriverQueue(driver.bus, 64, region));
      driver.header(region + 0x20000, BlkDescriptor.T_IN, 0);
      queue.desc(0, region + 0x20000, 16, NEXT, 1);
      queue.desc(2, region + 0x20100, 1, WRITE, 0);
      stop.set(false);
      final Thread flipper =
          Thread.ofPlatform()
              .start(
                  () -> {
                    long data = region + 0x30000;
                    while (!stop.get()) {
                      queue.desc(1, data, 512, WRITE | NEXT, 2);
                      data = data == end ? region + 0x30000 : end;
                    }
                  });
      for (int i = 0; i < 200 && !driver.needsReset(); i++) {
        queue.offer(0);
        driver.kick(0);
        final int expected = i + 1;
        await("served", () -> driver.needsReset() || queue.usedIndex() == expected);
      }
      stop.set(true);
      flipper.join();
      driver.status(0);
      await("reset", () -> driver.status() == 0);
      driver.bytes(queue.used, new byte[600]);
      driver.bytes(queue.avail, new byte[134]);
    }
    assertThat(driver.bus.ramAccesses).hasValue(0);
    assertThat(driver.bus.faults).hasValue(0);
  }

  /** A disk whose reads wait until it is opened. */
  private static final class Gate implements BlkBackend {
    private final CountDownLatch entered = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);
    private final MemoryBackend memory = new MemoryBackend(Disks.SECTORS * 512L);

    @Override
    public long size() {
      return memory.size();
    }

    @Override
    public void read(
        final long position, final MemorySegment to, final long offset, final long length)
        throws IOException {
      entered.countDown();
      try {
        open.await();
      } catch (final InterruptedException e) {
        throw new IOException(e);
      }
      memory.read(position, to, offset, length);
    }

    @Override
    public void write(
        final long position, final MemorySegment from, final long offset, final long length) {
      memory.write(position, from, offset, length);
    }

    @Override
    public void flush() {
      memory.flush();
    }

    @Override
    public String describe() {
      return "gate";
    }

    @Override
    public void close() {
      memory.close();
    }
  }
}
