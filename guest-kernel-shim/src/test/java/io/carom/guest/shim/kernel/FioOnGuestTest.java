package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioJob.IoMemory;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.IoBuffer;
import io.carom.guest.shim.cache.PageCacheComponent;
import io.carom.guest.shim.fake.Defaults;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fio.FioComponent;
import io.carom.virtio.VirtioFeatures;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Workloads on the whole block layer, with buffers that the device reaches. */
class FioOnGuestTest {
  private static final FioJob JOB =
      FioJob.of("vda", "randrw").withDepth(8, 2).withIomem(IoMemory.REACHABLE);

  private static TestGuest guest(final boolean region) {
    final TestGuest test = new TestGuest();
    test.bus.add("00:04.0", test.blk("disk0", 2, 16, region ? 4 << 20 : 0));
    test.boot();
    return test;
  }

  private static FioComponent fio(final TestGuest test) {
    return new FioComponent(
        test.guest, test.pages, test.memory, Defaults.of(FioComponent.Config.class, Map.of()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void reachableBuffersInRegionAndRamCarryEveryByte(final boolean region) throws Exception {
    try (TestGuest test = guest(region)) {
      test.dma.reachableRoom.set(1 << 20);
      final long free = test.memory.pageMap().freePages();
      final FioResult result = fio(test).run(JOB, FioProgress.SILENT);
      assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
      assertThat(result.lostRequests()).isZero();
      assertThat(result.verifiedBytes()).isPositive();
      assertThat(result.reachableBuffers()).isEqualTo(16);
      assertThat(result.fallbackBuffers()).isZero();
      assertThat(test.dmaDevice().passed.get()).isPositive();
      assertThat(test.dmaDevice().maps.get()).isEqualTo(test.dmaDevice().passed.get());
      assertThat(test.dmaDevice().reachable).isEmpty();
      assertThat(test.memory.pageMap().freePages()).isEqualTo(free);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("blk G: fio trims through the block layer, in parts that the device allows")
  void trims(final boolean direct) throws Exception {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 2, 16, 0);
      device.offered |= VirtioFeatures.BLK_DISCARD;
      test.bus.add("00:04.0", device);
      test.boot();
      final PageCacheComponent cache = cache(test);
      final FioComponent fio = fio(test);
      fio.bufferedDisks(cache);
      final FioJob job =
          FioJob.of("vda", "randtrim").withBlockSize(65_536).withDepth(4, 2).withDirect(direct);
      final FioResult result = fio.run(job, FioProgress.SILENT);
      assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
      assertThat(result.lostRequests()).isZero();
      assertThat(result.verifiedBytes()).isEqualTo(device.disk().byteSize());
      assertThat(device.ranges).hasSize(2 * 2 * 64); // two jobs, 64 blocks, two parts of 64 sectors
      assertThat(device.disk().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(test.dmaDevice().liveMappings()).isZero();
      cache.close();
    }
  }

  @Test
  void whatFindsNoRoomFallsBackToPages() throws Exception {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(5 * 4096);
      final long free = test.memory.pageMap().freePages();
      final FioResult result = fio(test).run(JOB, FioProgress.SILENT);
      assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
      assertThat(result.reachableBuffers()).isEqualTo(5);
      assertThat(result.fallbackBuffers()).isEqualTo(11);
      assertThat(test.dmaDevice().reachable).isEmpty();
      assertThat(test.memory.pageMap().freePages()).isEqualTo(free);
    }
  }

  @Test
  void ordinaryBuffersAreNotCounted() throws Exception {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(1 << 20);
      final FioResult result = fio(test).run(JOB.withIomem(IoMemory.MALLOC), FioProgress.SILENT);
      assertThat(result.reachableBuffers()).isZero();
      assertThat(result.fallbackBuffers()).isZero();
      assertThat(test.dmaDevice().passed.get()).isZero();
    }
  }

  @Test
  void aWorkloadThatCannotBeginKeepsNothing() {
    try (TestGuest test = guest(false)) {
      test.dma.reachableRoom.set(3 << 20);
      final FioJob large = JOB.withBlockSize(1 << 20).withDepth(64, 1);
      final long free = test.memory.pageMap().freePages();
      assertThatThrownBy(() -> fio(test).run(large, FioProgress.SILENT))
          .hasMessageContaining("the guest has no memory for another buffer");
      assertThat(test.dmaDevice().reachable).isEmpty();
      assertThat(test.memory.pageMap().freePages()).isEqualTo(free);
    }
  }

  @Test
  void surpriseRemovalGivesAllBuffersBack() {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(1 << 20);
      final FioComponent fio = fio(test);
      final AtomicInteger heldAtClose = new AtomicInteger(-1);
      final var run = CompletableFuture.supplyAsync(() -> run(fio));
      final var dma = test.dmaDevice();
      dma.closing = () -> heldAtClose.set(dma.reachable.size());
      test.await("the workload", () -> test.device().served.get() > 3000);
      test.bus.surpriseRemove("00:04.0");
      assertThat(run.join().lostRequests()).isPositive();
      test.await("the end", () -> dma.closed);
      assertThat(heldAtClose.get()).as("buffers that lose their owner").isZero();
      assertThat(dma.reachable).isEmpty();
      assertThat(dma.liveMappings()).isZero();
    }
  }

  private static FioResult run(final FioComponent fio) {
    try {
      return fio.run(JOB.forMillis(60_000), FioProgress.SILENT);
    } catch (final InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aBufferOutlivesItsDiskAndIsGivenBackOnce() {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(1 << 20);
      final BlockDevice vda = test.vda();
      final var dma = test.dmaDevice();
      final IoBuffer buffer = vda.allocateBuffer(5000);
      assertThat(buffer).isNotNull();
      assertThat(buffer.memory().byteSize()).isEqualTo(5000);
      test.bus.surpriseRemove("00:04.0");
      test.await("the end", () -> dma.closed);
      assertThat(vda.allocateBuffer(4096)).isNull();
      assertThat(String.join("\n", test.guest.dmesg())).contains("removed with 1 buffers in use");
      buffer.memory().fill((byte) 1);
      vda.freeBuffer(buffer);
      assertThat(dma.reachable).isEmpty();
      assertThatThrownBy(() -> vda.freeBuffer(buffer)).hasMessageContaining("given back before");
    }
  }

  @Test
  void requestsMustLieInOneBuffer() {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(1 << 20);
      final IoBuffer buffer = test.vda().allocateBuffer(8192);
      assertThat(buffer).isNotNull();
      final BlockRequest request = test.request(BlockOp.READ, 0, 4096);
      request.buffer = buffer.address() + 4096;
      test.vda().submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      request.buffer = buffer.address() + 4608;
      assertThatThrownBy(() -> test.vda().submit(request)).hasMessageContaining("not RAM");
      request.buffer = buffer.address() - 512;
      assertThatThrownBy(() -> test.vda().submit(request)).hasMessageContaining("not RAM");
      test.vda().freeBuffer(buffer);
      request.buffer = buffer.address();
      assertThatThrownBy(() -> test.vda().submit(request)).hasMessageContaining("not RAM");
    }
  }

  @Test
  void aBufferWithALiveMappingStaysOutOfUse() {
    try (TestGuest test = guest(true)) {
      test.dma.reachableRoom.set(1 << 20);
      test.device().conduct = FakeBlk.Conduct.SILENT;
      final IoBuffer buffer = test.vda().allocateBuffer(4096);
      assertThat(buffer).isNotNull();
      final BlockRequest request = test.request(BlockOp.WRITE, 0, 4096);
      request.buffer = buffer.address();
      test.vda().submit(request);
      test.await("the map", () -> test.dmaDevice().passed.get() == 1);
      test.vda().freeBuffer(buffer); // wrong, and harms nobody else
      assertThat(test.dmaDevice().reachable).hasSize(1);
    }
  }

  @Test
  void bufferedAndDirectWorkloadsSeeEachOther() throws Exception {
    try (TestGuest test = guest(true)) {
      final PageCacheComponent cache = cache(test);
      final FioComponent fio = fio(test);
      fio.bufferedDisks(cache);
      final FioJob direct = FioJob.of("vda", "randwrite").withBlockSize(1536);
      for (int round = 0; round < 3; round++) {
        final FioJob buffered = direct.withSeed(round).withDepth(1, 3).withDirect(false);
        for (final FioJob job : new FioJob[] {buffered, direct.withSeed(100 + round)}) {
          final FioResult result = fio.run(job, FioProgress.SILENT);
          assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
          assertThat(result.lostRequests()).isZero();
        }
      }
      assertThat(cache.info().hits()).isPositive();
      test.bus.surpriseRemove("00:04.0");
      test.await("the end", () -> cache.info().pages() == 0);
      cache.close();
    }
  }

  private static PageCacheComponent cache(final TestGuest test) {
    return new PageCacheComponent(
        test.pages,
        test.memory,
        Defaults.of(PageCacheComponent.Config.class, Map.of("pageCacheMiB", 1)));
  }
}
