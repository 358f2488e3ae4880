package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk.Conduct;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Devices that break the rules, or just break. */
class HostileDeviceTest {
  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"ID_OUT_OF_RANGE", "LENGTH_TOO_LONG", "INDEX_JUMP", "NEEDS_RESET"})
  void brokenRingEndsRequestsAndResetsOnce(final Conduct conduct) {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      final int resets = test.device().resets.get();
      test.device().conduct = conduct;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      test.device().conduct = Conduct.HONEST;
      test.awaitReset();
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.device().resets.get()).isEqualTo(resets + 2); // to quiesce, to start anew
      assertThat(test.dmaDevice().liveMappings()).isZero();
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void repeatedIdDoesNotEndARequestTwice() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().conduct = Conduct.SILENT; // one more in flight, so that two may be used
      final BlockRequest silent = test.request(BlockOp.READ, 0, 4096);
      test.vda().submit(silent);
      test.await("the device to take it", () -> test.device().served.get() == 1);
      test.device().conduct = Conduct.ID_REPEATED;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      final TestGuest.Ended second = test.awaitEnd();
      assertThat(second.request()).isSameAs(silent);
      assertThat(second.status()).isEqualTo(BlockStatus.IO_ERROR);
      test.device().conduct = Conduct.HONEST;
      test.awaitReset();
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.ended).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"LENGTH_TOO_SHORT", "NO_STATUS"})
  void readThatWasNotDoneIsAnError(final Conduct conduct) {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().conduct = conduct;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      assertThat(test.vda().counters().resets()).isZero();
    }
  }

  @Test
  void silentDeviceIsResetAtTheDeadlineAndWaitingRequestsGoOn() {
    try (TestGuest test = TestGuest.withDisk(1, 4)) {
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      test.device().conduct = Conduct.SILENT;
      for (int i = 0; i < 4; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096)); // the ring is full now
      }
      test.await("the device to take them", () -> test.device().served.get() == 5);
      test.device().conduct = Conduct.HONEST;
      final BlockRequest waiting = test.request(BlockOp.READ, 8, 4096);
      test.ahead.addAndGet(15_000_000_000L);
      test.vda().submit(waiting);
      test.ahead.addAndGet(10_000_000_000L); // 25 s for the four, 10 s for the one that waits
      for (int i = 0; i < 4; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.TIMEOUT);
      }
      final TestGuest.Ended last = test.awaitEnd();
      assertThat(last.request()).isSameAs(waiting);
      assertThat(last.status()).isEqualTo(BlockStatus.OK);
      assertThat(test.vda().counters().resets()).isEqualTo(1);
      assertThat(test.vda().counters().timeouts()).isEqualTo(4);
      assertThat(test.dmaDevice().liveMappings()).isZero();
    }
  }

  @Test
  void timeoutOfOneEndsTheOthersInTheDeviceAsGone() {
    try (TestGuest test = TestGuest.withDisk(1, 4)) {
      test.device().conduct = Conduct.SILENT;
      final BlockRequest old = test.request(BlockOp.READ, 0, 4096);
      final BlockRequest young = test.request(BlockOp.READ, 0, 4096);
      test.vda().submit(old);
      test.ahead.addAndGet(15_000_000_000L);
      test.vda().submit(young);
      test.await("the device to take both", () -> test.device().served.get() == 2);
      test.ahead.addAndGet(10_000_000_000L);
      assertThat(List.of(test.awaitEnd(), test.awaitEnd()))
          .containsExactlyInAnyOrder(
              new TestGuest.Ended(old, BlockStatus.TIMEOUT),
              new TestGuest.Ended(young, BlockStatus.GONE));
    }
  }

  @Test
  void deviceThatNeverRecoversIsGivenUp() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().conduct = Conduct.NEEDS_RESET;
      for (int i = 0; i < 2; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      }
      test.await("the end", () -> !test.vda().live());
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.GONE);
      assertThat(String.join("\n", test.guest.dmesg())).contains("given up");
    }
  }

  @Test
  void interruptWithoutCauseIsHarmless() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      for (int i = 0; i < 100; i++) {
        test.device().spurious(0);
      }
      test.msi.message(0xFEE0_0000L, 4000);
      test.msi.message(0xFEE0_0000L, -1);
      test.msi.message(0x1000, 33);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.vda().counters().resets()).isZero();
    }
  }

  @Test
  void needsResetWhileIdleIsFollowedByTheConfigInterrupt() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().needsReset();
      test.awaitReset();
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }
}
