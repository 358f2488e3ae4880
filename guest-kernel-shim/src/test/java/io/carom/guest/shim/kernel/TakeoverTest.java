package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Workers that hang in the DMA API. */
class TakeoverTest {
  private static final int TAKEOVER_MS = 50;

  @Test
  void hungMapIsRequeuedAndItsLateMappingUndone() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.tunables.set(20_000, TAKEOVER_MS, 5);
      final CountDownLatch latch = new CountDownLatch(1);
      test.dma.hangMap = latch;
      for (int i = 0; i < 20; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(test.vda().counters().takeovers()).isEqualTo(1);
      assertThat(test.vda().counters().requeues()).isEqualTo(1);
      latch.countDown(); // the old worker gets its mapping now
      test.await("the late map", () -> test.dmaDevice().maps.get() == 21);
      test.await("its undoing", () -> test.dmaDevice().liveMappings() == 0);
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void hungUnmapEndsItsRequestOnce() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.tunables.set(20_000, TAKEOVER_MS, 5);
      final CountDownLatch latch = new CountDownLatch(1);
      test.dma.hangUnmap = latch;
      for (int i = 0; i < 20; i++) {
        test.vda().submit(test.request(BlockOp.WRITE, 0, 4096));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(test.vda().counters().takeovers()).isEqualTo(1);
      assertThat(test.dmaDevice().liveMappings()).isEqualTo(1);
      latch.countDown();
      test.await("the late unmap", () -> test.dmaDevice().liveMappings() == 0);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void oneTakeoverAfterAnotherLosesNothing() {
    try (TestGuest test = TestGuest.withDisk(2, 16)) {
      test.tunables.set(20_000, 10, 0);
      final CountDownLatch latch = new CountDownLatch(1);
      for (int round = 0; round < 20; round++) {
        if (round % 2 == 0) {
          test.dma.hangMap = latch;
        } else {
          test.dma.hangUnmap = latch;
        }
        for (int i = 0; i < 40; i++) {
          test.vda().submit(test.request(BlockOp.READ, i, 512));
        }
        for (int i = 0; i < 40; i++) {
          assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        }
      }
      assertThat(test.vda().counters().takeovers()).isGreaterThanOrEqualTo(20);
      latch.countDown();
      test.await("late calls", () -> test.dmaDevice().liveMappings() == 0);
      assertThat(test.vda().counters().reads()).isEqualTo(800);
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void hangingMapDoesNotKeepTheDeadlineFromComing() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.tunables.set(200, 20, 5);
      final CountDownLatch latch = new CountDownLatch(1);
      test.dma.hangEveryMap = latch;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.TIMEOUT);
      latch.countDown();
      test.await("late calls", () -> test.dmaDevice().liveMappings() == 0);
    }
  }

  @Test
  void removalWithAHungWorkerIsBounded() {
    final CountDownLatch latch = new CountDownLatch(1);
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final var vda = test.vda();
      test.dma.hangMap = latch; // the takeover time is long: the removal itself takes over
      vda.submit(test.request(BlockOp.READ, 0, 4096));
      test.await("the worker to hang", () -> test.dma.hangMap == null);
      test.onWork(() -> test.guest.dmaLeaves());
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.GONE);
      assertThat(test.guest.blockDevices()).isEmpty();
      vda.submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.GONE);
    } finally {
      latch.countDown();
    }
  }
}
