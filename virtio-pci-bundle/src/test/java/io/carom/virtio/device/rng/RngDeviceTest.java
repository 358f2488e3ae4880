package io.carom.virtio.device.rng;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class RngDeviceTest {
  private static final long SEED = 42;
  private static final long RING = 0x10000;
  private static final long DATA = 0x30000;
  private static final int QUEUE_SIZE = 64;

  private final AtomicLong now = new AtomicLong();
  private RngDevice device = device(0);
  private Driver driver = drive(device);
  private DriverQueue queue = start(driver);

  private RngDevice device(final long rate) {
    return new RngDevice(
        new RngOptions(QUEUE_SIZE, rate), new Random(SEED), "seeded", false, now::get);
  }

  private static Driver drive(final RngDevice device) {
    return new Driver(
        new VirtioFunctionBuilder("rng0", device)
            .workers(WorkerOptions.manual())
            .errors(Disks.quiet())
            .build(),
        new FakeBus(0));
  }

  private static DriverQueue start(final Driver driver) {
    return driver.start(
        VirtioFeatures.INDIRECT_DESC, new DriverQueue(driver.bus, QUEUE_SIZE, RING));
  }

  private void limit(final long bytesPerSecond) {
    device = device(bytesPerSecond);
    driver = drive(device);
    queue = start(driver);
  }

  private static byte[] expected(final int length) {
    final byte[] bytes = new byte[RngDevice.MOST_BYTES];
    new Random(SEED).nextBytes(bytes);
    return Arrays.copyOf(bytes, length);
  }

  @Test
  @DisplayName("P2 D: an entropy device is type 4, of no other class, and has no configuration")
  void p2_identity() {
    assertThat(driver.function.spec().deviceId()).isEqualTo(0x1044);
    assertThat(driver.function.spec().classCode()).isEqualTo(0x00ff00);
    assertThat(driver.offered() & 0xffffff).isZero();
    assertThat(device.queues()).isEqualTo(1);
  }

  @Test
  @DisplayName("rng D: a buffer is filled, and used.len says with how many bytes")
  void rngFillsBuffer() {
    queue.desc(0, DATA, 100, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(queue.usedIndex()).isEqualTo(1);
    assertThat(queue.usedLength(0)).isEqualTo(100);
    assertThat(driver.bytes(DATA, 100)).isEqualTo(expected(100));
    assertThat(driver.bytes(DATA + 100, 10)).isEqualTo(new byte[10]);
    assertThat(device.requests()).isEqualTo(1);
  }

  @Test
  @DisplayName("rng D: a large buffer gets part of what it can hold, the rest is not touched")
  void rngLargeBufferIsFilledInPart() {
    queue.desc(0, DATA, 3 * RngDevice.MOST_BYTES, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(queue.usedLength(0)).isEqualTo(RngDevice.MOST_BYTES);
    assertThat(driver.bytes(DATA, RngDevice.MOST_BYTES)).isEqualTo(expected(RngDevice.MOST_BYTES));
    assertThat(driver.bytes(DATA + RngDevice.MOST_BYTES, 512)).isEqualTo(new byte[512]);
  }

  @Test
  @DisplayName("R2 D: a buffer cut anywhere gets the same bytes")
  void r2_anyFraming() {
    for (int cut = 1; cut < 40; cut++) {
      limit(0);
      queue.desc(0, DATA, cut, WRITE | NEXT, 1);
      queue.desc(1, DATA + 0x1000, 40 - cut, WRITE, 0);
      queue.offer(0);
      driver.kick(0);
      assertThat(queue.usedLength(0)).isEqualTo(40);
      final byte[] both = Arrays.copyOf(driver.bytes(DATA, cut), 40);
      System.arraycopy(driver.bytes(DATA + 0x1000, 40 - cut), 0, both, cut, 40 - cut);
      assertThat(both).as("cut at %d", cut).isEqualTo(expected(40));
    }
  }

  @Test
  @DisplayName(
      "rng D: a readable buffer, or none that is writable, needs a reset; a reset mends it")
  void rngWrongBuffers() {
    queue.desc(0, DATA, 16, NEXT, 1);
    queue.desc(1, DATA, 16, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(driver.needsReset()).isTrue();
    assertThat(queue.usedIndex()).isZero();
    queue = start(driver);
    queue.index(0);
    queue.desc(0, DATA, 16, 0, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(driver.needsReset()).isTrue();
    rngAfterReset();
  }

  private void rngAfterReset() {
    driver.status(0);
    queue = new DriverQueue(driver.bus, QUEUE_SIZE, RING + 0x10000);
    driver.start(0, queue);
    queue.desc(0, DATA, 16, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(driver.needsReset()).isFalse();
    assertThat(queue.usedLength(0)).isEqualTo(16);
  }

  @Test
  @DisplayName("rng D: with a rate limit buffers wait, and no byte above the rate is given")
  void rngRateLimit() {
    limit(1000);
    for (int i = 0; i < 8; i++) {
      queue.desc(i, DATA + 0x1000L * i, 200, WRITE, 0);
      queue.offer(i);
    }
    driver.kick(0);
    assertThat(total()).isEqualTo(250); // the burst of a quarter of a second
    assertThat(queue.usedIndex()).isEqualTo(2);
    driver.kick(0);
    assertThat(queue.usedIndex()).isEqualTo(2);
    now.addAndGet(500_000);
    device.signal();
    assertThat(queue.usedIndex()).as("half a byte is none").isEqualTo(2);
    now.addAndGet(500_000);
    device.signal();
    assertThat(total()).as("one millisecond is one byte").isEqualTo(251);
    now.addAndGet(10_000_000_000L);
    device.signal();
    assertThat(total()).as("no more than a burst after any time").isEqualTo(501);
  }

  private int total() {
    int sum = 0;
    for (int i = 0; i < queue.usedIndex(); i++) {
      assertThat(queue.usedLength(i)).isPositive();
      sum += queue.usedLength(i);
    }
    return sum;
  }

  @Test
  @DisplayName("S2 D: nothing is given before DRIVER_OK, what was made available is given then")
  void s2_notBeforeDriverOk() {
    driver.negotiate(0);
    final DriverQueue early = new DriverQueue(driver.bus, QUEUE_SIZE, RING + 0x10000);
    driver.enable(0, early);
    early.desc(0, DATA, 16, WRITE, 0);
    early.offer(0);
    driver.kick(0);
    assertThat(early.usedIndex()).isZero();
    driver.ready();
    assertThat(early.usedIndex()).isEqualTo(1);
  }

  @Test
  @DisplayName(
      "R7 D: new buffers are asked for with EVENT_IDX and with flags, whatever came before")
  void r7_asksForBuffers() {
    queue.desc(0, DATA, 16, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(queue.usedFlags()).as("the driver shall notify").isZero();
    driver.status(0);
    queue = new DriverQueue(driver.bus, QUEUE_SIZE, RING + 0x10000);
    driver.start(VirtioFeatures.EVENT_IDX, queue);
    queue.desc(0, DATA, 16, WRITE, 0);
    queue.offer(0);
    driver.kick(0);
    assertThat(queue.availEvent()).isEqualTo(1);
  }

  @Test
  void aThreadServesWhatComesLater() throws InterruptedException {
    device =
        new RngDevice(
            new RngOptions(QUEUE_SIZE, 0), new Random(SEED), "seeded", true, System::nanoTime);
    driver = drive(device);
    queue = start(driver);
    for (int i = 0; i < 1000; i++) {
      queue.desc(i % QUEUE_SIZE, DATA, 16, WRITE, 0);
      queue.offer(i % QUEUE_SIZE);
      driver.kick(0);
      final long deadline = System.nanoTime() + 300_000_000_000L;
      while (queue.usedIndex() != i + 1) {
        assertThat(System.nanoTime()).isLessThan(deadline);
        Thread.sleep(0, 1000);
      }
    }
    driver.function.unplugged();
    device.close();
  }
}
