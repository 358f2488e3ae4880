package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockIoException;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeBlk.Conduct;
import io.carom.virtio.VirtioFeatures;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests on a disk that behaves. */
class BlockIoTest {
  private static final long SEED = Long.getLong("seed", 20261);

  @Test
  void bootFindsDiskAndSaysSo() {
    try (TestGuest test = TestGuest.withDisk(2, 64)) {
      final BlockDevice vda = test.vda();
      assertThat(vda.serial()).isEqualTo("disk0");
      assertThat(vda.address()).isEqualTo("0000:00:04.0");
      assertThat(vda.capacityBytes()).isEqualTo(4 << 20);
      assertThat(vda.queues()).isEqualTo(2);
      assertThat(vda.queueSize()).isEqualTo(64);
      assertThat(vda.live()).isTrue();
      assertThat(String.join("\n", test.guest.dmesg()))
          .contains("pci 0000:00:04.0: [1af4:1042] type 00 class 0x010000")
          .contains("pci 0000:00:04.0: BAR 4 [mem 0x8000000000-0x8000003fff 64bit pref]")
          .contains("virtio_blk virtio0: [vda] 8192 512-byte logical blocks (4.19 MB/4.00 MiB)");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyByteComesBackWithAndWithoutOptionalFeatures(final boolean features) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      if (!features) {
        device.offered = VirtioFeatures.VERSION_1;
      }
      test.bus.add("00:04.0", device);
      test.boot();
      System.out.println("seed " + SEED);
      final byte[] bytes = new byte[1 << 20];
      new Random(SEED).nextBytes(bytes);
      final BlockDevice vda = test.vda();
      vda.write(4096, MemorySegment.ofArray(bytes));
      vda.flush();
      final byte[] back = new byte[bytes.length];
      vda.read(4096, MemorySegment.ofArray(back));
      assertThat(back).isEqualTo(bytes);
      assertThat(device.disk().asSlice(4096, bytes.length).mismatch(MemorySegment.ofArray(bytes)))
          .isEqualTo(-1);
      assertThat(vda.counters().bytesWritten()).isEqualTo(bytes.length);
      assertThat(vda.counters().bytesRead()).isEqualTo(bytes.length);
      assertThat(vda.counters().flushes()).isEqualTo(1);
      assertThat(test.dmaDevice().liveMappings()).isZero();
    }
  }

  @Test
  void manyMoreRequestsThanRingEntriesAllEndOnce() {
    try (TestGuest test = TestGuest.withDisk(2, 8)) {
      for (int i = 0; i < 500; i++) {
        test.vda().submit(test.request(BlockOp.WRITE, i, 512));
      }
      for (int i = 0; i < 500; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(test.ended).isEmpty();
      assertThat(test.vda().counters().writes()).isEqualTo(500);
    }
  }

  @Test
  void largeRequestIsSplitByMappingSizeAndJoined() {
    try (TestGuest test = TestGuest.withDisk(1, 4)) {
      test.dma.maxMapping = 10_000; // not whole sectors: 9728 are
      final BlockRequest request = test.request(BlockOp.WRITE, 8, 1 << 20);
      test.memory.segment(request.buffer, request.length).fill((byte) 7);
      test.vda().submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(test.device().served.get()).isEqualTo(((1 << 20) + 9727) / 9728);
      assertThat(test.device().largestSegment).isEqualTo(9728);
      assertThat(
              test.device()
                  .disk()
                  .asSlice(4096, 1 << 20)
                  .mismatch(test.memory.segment(request.buffer, 1 << 20)))
          .isEqualTo(-1);
      assertThat(test.vda().counters().writes()).isEqualTo(1);
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void segmentLimitOfTheDeviceIsKept() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.offered |= VirtioFeatures.BLK_SIZE_MAX;
      device.sizeMax = 5000;
      test.bus.add("00:04.0", device);
      test.boot();
      test.vda().submit(test.request(BlockOp.READ, 0, 64 * 1024));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(device.largestSegment).isEqualTo(4608);
    }
  }

  @Test
  void shrinkingLimitSplitsWhatWaitsAnew() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.dma.failMaps.set(-1); // nothing can be mapped while the strategy is swapped
      test.vda().submit(test.request(BlockOp.READ, 0, 256 * 1024));
      test.await("a requeue", () -> test.vda().counters().requeues() > 1);
      test.dma.maxMapping = 4096;
      test.dma.failMaps.set(0);
      final TestGuest.Ended end = test.awaitEnd();
      assertThat(end.status()).isEqualTo(BlockStatus.OK);
      assertThat(end.request().requeues).isPositive();
      assertThat(test.device().served.get()).isEqualTo(64);
    }
  }

  @Test
  void mappingErrorsLoseNothing() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.dma.failMaps.set(40);
      for (int i = 0; i < 30; i++) {
        test.vda().submit(test.request(BlockOp.READ, 8L * i, 4096));
      }
      for (int i = 0; i < 30; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(test.vda().counters().requeues()).isEqualTo(40);
      assertThat(test.vda().counters().errors()).isZero();
    }
  }

  @Test
  void waitingRequestTimesOutWithoutReset() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.tunables.set(50, 10_000, 5);
      test.dma.failMaps.set(-1);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.TIMEOUT);
      assertThat(test.vda().counters().timeouts()).isEqualTo(1);
      assertThat(test.vda().counters().resets()).isZero();
      test.dma.failMaps.set(0);
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }

  @Test
  void wrongRequestsAreRefusedAndNotStarted() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final BlockDevice vda = test.vda();
      assertThatThrownBy(() -> vda.submit(test.request(BlockOp.READ, 0, 511)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("511");
      assertThatThrownBy(() -> vda.submit(test.request(BlockOp.READ, 8191, 1024)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("8192 sectors");
      assertThatThrownBy(() -> vda.submit(test.request(BlockOp.READ, Long.MAX_VALUE, 512)))
          .isInstanceOf(IllegalArgumentException.class);
      final BlockRequest nowhere = test.request(BlockOp.READ, 0, 512);
      nowhere.buffer = 0xC000_0000L;
      assertThatThrownBy(() -> vda.submit(nowhere)).hasMessageContaining("not RAM");
      assertThatThrownBy(() -> vda.read(100, MemorySegment.ofArray(new byte[512])))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(test.device().served.get()).isZero();
      assertThat(test.ended).isEmpty();
    }
  }

  @Test
  void errorOfTheDeviceEndsTheRequestAndNoMore() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      test.device().conduct = Conduct.IO_ERROR;
      assertThatThrownBy(() -> test.vda().read(0, MemorySegment.ofArray(new byte[512])))
          .isInstanceOfSatisfying(
              BlockIoException.class, e -> assertThat(e.status()).isEqualTo(BlockStatus.IO_ERROR))
          .hasMessageContaining("vda: read of 512 bytes at sector 0 failed: IO_ERROR");
      test.device().conduct = Conduct.HONEST;
      test.vda().read(0, MemorySegment.ofArray(new byte[512]));
      assertThat(test.vda().counters().errors()).isEqualTo(1);
    }
  }

  @Test
  void readOnlyDiskRefusesWrites() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.offered |= VirtioFeatures.BLK_RO;
      test.bus.add("00:04.0", device);
      test.boot();
      assertThat(test.vda().readOnly()).isTrue();
      test.vda().submit(test.request(BlockOp.WRITE, 0, 512));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      assertThat(device.served.get()).isZero();
    }
  }

  @Test
  void completionMaySubmitAgain() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final BlockDevice vda = test.vda();
      final BlockRequest request = test.request(BlockOp.READ, 0, 512);
      final int[] left = {1000};
      request.completion =
          (of, status) -> {
            if (--left[0] > 0) {
              vda.submit(of);
            } else {
              test.ended.add(new TestGuest.Ended(of, status));
            }
          };
      vda.submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(vda.counters().reads()).isEqualTo(1000);
    }
  }

  @Test
  void pagesOfTheSynchronousHelpersComeBack() {
    try (TestGuest test = TestGuest.withDisk(1, 16)) {
      final long before = test.memory.pageMap().freePages();
      test.vda().read(0, MemorySegment.ofArray(new byte[300 * 1024]));
      assertThat(test.memory.pageMap().freePages()).isEqualTo(before);
    }
  }
}
