package io.carom.guest.shim.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the block worker says of itself when it maps, and what it does when mapping gets harder. */
class MapContextTest {
  private static final long SEED = Long.getLong("carom.seed", 20263);

  @Test
  void aWorkerNeverSleepsForMappingsOfItsOwn() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.dma.throttleAt = 3;
      final long start = System.nanoTime();
      for (int i = 0; i < 200; i++) {
        test.vda().submit(test.request(BlockOp.READ, 8L * i, 4096));
      }
      for (int i = 0; i < 200; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(test.dma.sleptWithMappings.get()).isZero();
      assertThat(test.vda().counters().requeues()).isPositive();
      assertThat(test.vda().counters().takeovers()).isZero();
      // one wait for itself would last 2 s
      assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
      assertThat(test.dmaDevice().liveMappings()).isZero();
    }
  }

  @Test
  void withNothingInFlightItSleepsUntilOthersLetGo() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.dma.throttleAt = 3;
      test.dma.throttleNs = 60_000_000_000L;
      test.dma.othersLive.set(3);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      test.await("the worker to sleep", () -> test.dma.slept.get() == 1);
      assertThat(test.ended).isEmpty();
      test.dma.othersLive.set(0);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.vda().counters().requeues()).isZero();
    }
  }

  @Test
  void aSleepBeyondTheTakeoverTimeCostsOneWorker() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.tunables.set(20_000, 50, 5);
      test.dma.throttleAt = 3;
      test.dma.throttleNs = 60_000_000_000L;
      test.dma.othersLive.set(3);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      test.await("retries after the takeover", () -> test.vda().counters().requeues() > 20);
      assertThat(test.vda().counters().takeovers()).isEqualTo(1);
      test.dma.othersLive.set(0);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      test.await("the late map undone", () -> test.dmaDevice().liveMappings() == 0);
    }
  }

  @Test
  void onlyTheFirstFailureIsToBeLogged() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      for (int round = 0; round < 2; round++) {
        test.dma.failedAttributes.clear();
        test.dma.failMaps.set(5);
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        final List<Integer> quiet =
            test.dma.failedAttributes.stream().map(a -> a & DmaAttributes.NO_WARN).toList();
        final int no = DmaAttributes.NO_WARN;
        assertThat(quiet).as("round " + round).containsExactly(0, no, no, no, no);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {262_144, 4096, 1024})
  void aPartMeasuredBeforeASwapIsMeasuredAgainAfterIt(final long stricter) {
    try (TestGuest test = TestGuest.withDisk(1, 64)) {
      test.dma.maxMapping = 1 << 20;
      test.dma.maxMappingOnceAsked.set(stricter); // between the question and the map
      final BlockRequest request = test.request(BlockOp.WRITE, 8, 1 << 20);
      final byte[] bytes = randomBytes();
      test.memory.segment(request.buffer, request.length).copyFrom(MemorySegment.ofArray(bytes));
      test.vda().submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.device().disk().asSlice(4096, 1 << 20).toArray(JAVA_BYTE))
          .as("-Dcarom.seed=%d", SEED)
          .isEqualTo(bytes);
      assertThat(test.device().largestSegment).isEqualTo((int) stricter);
      assertThat(request.requeues).isEqualTo(1);
    }
  }

  @Test
  void aSmallRequestIsSplitWhereNotEvenAPageCanBeMapped() {
    try (TestGuest test = TestGuest.withDisk(1, 64)) {
      test.dma.maxMapping = 1024;
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.device().largestSegment).isEqualTo(1024);
    }
  }

  @Test
  void aRequestHalfMappedBeforeASwapGoesOnInSmallerParts() {
    try (TestGuest test = TestGuest.withDisk(1, 64)) {
      test.dma.maxMapping = 256 * 1024;
      test.dma.beforeMap =
          maps -> {
            if (maps == 2) {
              test.dma.maxMapping = 32 * 1024;
            }
          };
      final byte[] bytes = randomBytes();
      test.device().disk().asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
      final BlockRequest request = test.request(BlockOp.READ, 0, bytes.length);
      test.vda().submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.memory.segment(request.buffer, bytes.length).toArray(JAVA_BYTE))
          .as("-Dcarom.seed=%d", SEED)
          .isEqualTo(bytes);
      assertThat(test.device().served.get()).isEqualTo(2 + 16);
      assertThat(test.dmaDevice().liveMappings()).isZero();
    }
  }

  private static byte[] randomBytes() {
    final byte[] bytes = new byte[1 << 20];
    new Random(SEED).nextBytes(bytes);
    return bytes;
  }
}
