package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaFence;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.Entropy;
import io.carom.guest.NetworkInterface;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeConsole;
import io.carom.guest.shim.fake.FakeDma;
import io.carom.guest.shim.fake.FakeRng;
import io.carom.virtio.RingOptions;
import io.carom.virtio.RingOptions.Layout;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Devices that the DMA core has reset, so that they let go of memory. */
class FenceTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final RingOptions SPLIT = new RingOptions(Layout.SPLIT, false, true, true);

  private static DmaFence fence(final TestGuest test, final String address) {
    final FakeDma.Device device = Objects.requireNonNull(test.dma.devices.get(address));
    return Objects.requireNonNull(device.fence);
  }

  @Test
  @DisplayName("fence G blk: what the device has ends in an I/O error, and the disk goes on")
  void blk() {
    try (TestGuest test = TestGuest.withDisk(2, 8)) {
      test.device().conduct = FakeBlk.Conduct.SILENT;
      for (int i = 0; i < 40; i++) { // more than the rings hold
        test.vda().submit(test.request(i % 2 == 0 ? BlockOp.READ : BlockOp.WRITE, 8L * i, 4096));
      }
      test.await("all that fit are mapped", () -> test.dmaDevice().maps.get() >= 4);
      test.await("the device has begun with the second", () -> test.device().served.get() >= 2);
      final int resets = test.device().resets.get();
      test.device().conduct = FakeBlk.Conduct.HONEST;
      assertThat(fence(test, "0000:00:04.0").fence(PATIENCE)).isTrue();
      int failed = 0;
      for (int i = 0; i < 40; i++) {
        final BlockStatus status = test.awaitEnd().status();
        assertThat(status).isIn(BlockStatus.OK, BlockStatus.IO_ERROR);
        failed += status == BlockStatus.OK ? 0 : 1;
      }
      assertThat(failed).isPositive();
      assertThat(test.ended).isEmpty();
      assertThat(test.vda().counters().errors()).isEqualTo(failed);
      assertThat(test.device().resets.get()).isGreaterThan(resets);
      assertThat(test.dmaDevice().liveMappings()).isZero();
      assertThat(test.vda().live()).isTrue();
      final BlockRequest after = test.request(BlockOp.WRITE, 0, 4096);
      test.memory.segment(after.buffer, 4096).fill((byte) 6);
      test.vda().submit(after);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.device().disk().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 6);
    }
  }

  @Test
  @DisplayName("fence G blk: a device that is fenced again and again is not given up")
  void blkOften() {
    try (TestGuest test = TestGuest.withDisk(1, 8)) {
      for (int i = 0; i < 5; i++) {
        assertThat(fence(test, "0000:00:04.0").fence(PATIENCE)).isTrue();
      }
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }

  @Test
  @DisplayName("fence G: one that could not begin in time is not made")
  void late() throws Exception {
    try (TestGuest test = TestGuest.withDisk(1, 8)) {
      final CountDownLatch busy = new CountDownLatch(1);
      final int resets = test.device().resets.get();
      test.guest
          .work()
          .execute(
              () -> {
                try {
                  busy.await(60, TimeUnit.SECONDS);
                } catch (final InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      assertThat(fence(test, "0000:00:04.0").fence(Duration.ofMillis(20))).isFalse();
      busy.countDown();
      test.onWork(() -> {}); // behind it
      assertThat(test.device().resets.get()).isEqualTo(resets);
    }
  }

  @Test
  @DisplayName("fence G: a device that was removed is not fenced")
  void removed() {
    try (TestGuest test = TestGuest.withDisk(1, 8)) {
      final DmaFence fence = fence(test, "0000:00:04.0");
      test.onWork(test.guest::dmaLeaves);
      assertThat(fence.fence(PATIENCE)).isFalse();
    }
  }

  @Test
  @DisplayName("fence G net: what it has is dropped and counted, and packets flow again")
  void net() throws Exception {
    try (NetGuest guest = NetGuest.pair(1, 1500, SPLIT)) {
      final NetworkInterface eth = guest.eth(0);
      final long resets = eth.counters().resets();
      for (int i = 0; i < 5; i++) { // more often than vain resets are borne with
        assertThat(fence(guest.test, "0000:00:04.0").fence(PATIENCE)).isTrue();
      }
      guest.test.await("it is up", () -> eth.counters().resets() == resets + 5);
      guest.test.onWork(() -> {});
      guest.test.await("a packet arrives", () -> NetTest.ping(guest) == 2);
    }
  }

  @Test
  @DisplayName("fence G rng: a reader is told, and the source serves again")
  void rng() throws Exception {
    try (TestGuest test = new TestGuest()) {
      final FakeRng device = new FakeRng(test.msi, test.memory);
      test.bus.add("00:05.0", device);
      test.boot();
      final Entropy source = test.guest.entropySources().getFirst();
      device.conduct = FakeRng.Conduct.SILENT;
      final AtomicReference<Throwable> told = new AtomicReference<>();
      final CountDownLatch reading = new CountDownLatch(1);
      final Thread reader =
          Thread.ofPlatform()
              .start(
                  () -> {
                    reading.countDown();
                    try {
                      source.read(new byte[8], PATIENCE);
                    } catch (final IllegalStateException e) {
                      told.set(e);
                    }
                  });
      reading.await();
      test.await("it waits", () -> reader.getState() == Thread.State.TIMED_WAITING);
      for (int i = 0; i < 3; i++) {
        assertThat(fence(test, "0000:00:05.0").fence(PATIENCE)).isTrue();
      }
      reader.join();
      assertThat(told.get()).hasMessageContaining("being reset");
      device.conduct = FakeRng.Conduct.HONEST;
      test.await("it is started", source::live);
      final byte[] bytes = new byte[16];
      source.read(bytes, PATIENCE);
      assertThat(source.received()).isEqualTo(16);
    }
  }

  @Test
  @DisplayName("fence G console: its ports stay, and what is typed afterwards arrives")
  void console() {
    try (TestGuest test = new TestGuest()) {
      final FakeConsole device = new FakeConsole(test.msi, test.memory, 1);
      test.bus.add("00:06.0", device);
      test.boot();
      test.await("a prompt", () -> device.written(0).endsWith("carom# "));
      for (int i = 0; i < 3; i++) {
        assertThat(fence(test, "0000:00:06.0").fence(PATIENCE)).isTrue();
      }
      test.onWork(() -> {});
      assertThat(test.guest.consoles()).anyMatch(of -> of.name().equals("hvc0"));
      test.await("it takes input", () -> device.send(0, "echo again\r"));
      test.await("an answer", () -> device.written(0).contains("\r\nagain\r\n"));
    }
  }
}
