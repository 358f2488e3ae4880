package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeDma;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The end of the guest: within its deadline, with everything unmapped, or saying what is not. */
class StopTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final long LONG_NS = TimeUnit.SECONDS.toNanos(20);
  private static final long SHORT_NS = TimeUnit.MILLISECONDS.toNanos(200);

  @Test
  void everythingIsUnmapped() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      for (int i = 0; i < 20; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      }
      final var device = test.dmaDevice();
      assertThat(test.guest.stop(System.nanoTime() + LONG_NS)).isNull();
      for (int i = 0; i < 20; i++) {
        assertThat(test.awaitEnd().status()).isIn(BlockStatus.OK, BlockStatus.GONE);
      }
      assertThat(device.liveMappings()).isZero();
    }
  }

  @Test
  void whatHoldsItIsTold() {
    final CountDownLatch latch = new CountDownLatch(1);
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.dma.hangUnmap = latch;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      test.await("the worker to hang", () -> test.dma.hangUnmap == null);
      final String address = test.vda().address();
      final long start = System.nanoTime();
      assertThat(test.guest.stop(start + SHORT_NS))
          .contains("the driver of " + address + ", 1 mappings live", "thread guest-kworker");
    } finally {
      latch.countDown();
    }
  }

  @Test
  void aDriverThatFailsHalfWayLetsGoOfItsDeviceAndIsProbedAgain() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final FakeDma.Device device = test.dmaDevice();
      device.keepsCoherent = true;
      assertThat(test.guest.work().call(test.guest::dmaLeaves, PATIENCE)).isTrue();
      assertThat(test.guest.dmesg()).anyMatch(line -> line.contains("driver removal failed"));
      assertThat(device.closed).isTrue();
      assertThat(test.guest.work().call(() -> test.guest.dmaArrived(test.dma), PATIENCE)).isTrue();
      assertThat(test.dmaDevice()).isNotSameAs(device);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }
}
