package io.carom.guest.shim.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.PageCacheInfo;
import io.carom.memory.LentPages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** One thing at a time. */
class PageCacheTest {
  private static final int DISK = 64 * CachedWorld.PAGE;

  private static byte[] filled(final int length, final int with) {
    final byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) with);
    return bytes;
  }

  private static void await(final BooleanSupplier condition) {
    final long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > 20_000_000_000L) {
        throw new AssertionError("waited in vain");
      }
      Thread.onSpinWait();
    }
  }

  @Test
  void whatWasReadOnceIsReadFromMemory() {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      world.disk.content.fill((byte) 3);
      assertThat(world.read(world.buffered, 3, 6 * 512)).isEqualTo(filled(6 * 512, 3));
      assertThat(world.read(world.buffered, 0, 16 * 512)).isEqualTo(filled(16 * 512, 3));
      assertThat(world.disk.reads.get()).isEqualTo(2);
      assertThat(world.cache.info()).isEqualTo(new PageCacheInfo(2, 0, 2, 2, 0, 0));
    }
  }

  @Test
  void writesGoThroughAndAreReadFromMemory() {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      assertThat(world.write(world.buffered, 8, filled(8192, 5))).isEqualTo(BlockStatus.OK);
      assertThat(world.disk.content.asSlice(4096, 8192).toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(filled(8192, 5));
      world.write(world.buffered, 9, filled(512, 6)); // a part of a page that is cached
      assertThat(world.read(world.buffered, 9, 512)).isEqualTo(filled(512, 6));
      assertThat(world.read(world.buffered, 10, 512)).isEqualTo(filled(512, 5));
      assertThat(world.disk.reads.get()).isZero();
      world.write(world.buffered, 41, filled(512, 7)); // a part of one that is not
      assertThat(world.cache.info().pages()).isEqualTo(2);
    }
  }

  @Test
  void theLeastUsedPageGoesFirst() {
    try (CachedWorld world = new CachedWorld(2, 0, DISK)) {
      world.read(world.buffered, 0, 512);
      world.read(world.buffered, 8, 512);
      world.read(world.buffered, 0, 512);
      world.read(world.buffered, 16, 512); // instead of page 1
      world.read(world.buffered, 0, 512);
      assertThat(world.disk.reads.get()).isEqualTo(3);
      world.read(world.buffered, 8, 512);
      assertThat(world.disk.reads.get()).isEqualTo(4);
      assertThat(world.cache.info().pages()).isEqualTo(2);
    }
  }

  @Test
  void withoutAnyFrameTheDiskIsRead() {
    try (CachedWorld world = new CachedWorld(0, 0, DISK)) {
      world.disk.content.fill((byte) 9);
      assertThat(world.read(world.buffered, 1, 8192)).isEqualTo(filled(8192, 9));
      assertThat(world.cache.info()).isEqualTo(new PageCacheInfo(0, 0, 0, 3, 0, 0));
    }
  }

  @Test
  void vacatedPagesMoveWhileThereIsRoomAndAreDroppedThen() {
    try (CachedWorld world = new CachedWorld(2, 3, DISK).lending()) {
      for (int page = 0; page < 5; page++) {
        world.write(world.buffered, page * 8L, filled(4096, 10 + page));
      }
      assertThat(world.cache.info().borrowedPages()).isEqualTo(3);
      world.disk.watch.written(request(0)); // page 0 goes: one frame of its own is free
      world.lender.open = false;
      world.lender.loans().forEach(loan -> assertThat(world.lender.wantBack(loan)).isTrue());
      final PageCacheInfo info = world.cache.info();
      assertThat(info.migrated()).isEqualTo(1);
      assertThat(info.dropped()).isEqualTo(2);
      assertThat(info.borrowedPages()).isZero();
      assertThat(info.pages()).isEqualTo(2);
      for (int page = 1; page < 5; page++) {
        assertThat(world.read(world.buffered, page * 8L, 4096)).isEqualTo(filled(4096, 10 + page));
      }
      world.lender.check();
      assertThat(world.lender.violations.get()).isZero();
    }
  }

  private static BlockRequest request(final long sector) {
    return CachedWorld.asynchronous(BlockOp.WRITE, sector, 0, 512);
  }

  @Test
  void aPageIsNotVacatedWhileTheDiskWritesIntoIt() throws Exception {
    try (CachedWorld world = new CachedWorld(0, 1, DISK).lending()) {
      final CountDownLatch gate = new CountDownLatch(1);
      world.disk.content.fill((byte) 4);
      world.disk.fate = (request, number) -> pass(gate);
      final var read = CompletableFuture.supplyAsync(() -> world.read(world.buffered, 0, 512));
      await(() -> world.disk.reads.get() == 1);
      final LentPages loan = world.lender.loans().getFirst();
      assertThat(world.lender.wantBack(loan)).isFalse();
      gate.countDown();
      assertThat(read.get()).isEqualTo(filled(512, 4));
      assertThat(world.lender.wantBack(loan)).isTrue();
      assertThat(world.cache.info().dropped()).isEqualTo(1);
    }
  }

  private static BlockStatus pass(final CountDownLatch gate) {
    try {
      gate.await();
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return BlockStatus.OK;
  }

  @Test
  void aLenderThatGoesWaitsForItsPages() throws Exception {
    try (CachedWorld world = new CachedWorld(1, 4, DISK).lending()) {
      world.read(world.buffered, 0, 4 * 4096);
      assertThat(world.lender.lentPages()).isEqualTo(3);
      final CountDownLatch gate = new CountDownLatch(1);
      world.disk.fate = (request, number) -> pass(gate);
      final var read = CompletableFuture.supplyAsync(() -> world.read(world.buffered, 160, 512));
      await(() -> world.disk.arrived.get() == 5);
      final var unbound = CompletableFuture.runAsync(() -> world.cache.unbindLender(world.lender));
      await(() -> world.lender.lentPages() == 1); // the one that is being filled
      assertThat(unbound).isNotDone();
      gate.countDown();
      unbound.get();
      assertThat(world.lender.lentPages()).isZero();
      read.get();
      assertThat(world.lender.violations.get()).isZero();
      assertThat(world.cache.info().borrowedPages()).isZero();
    }
  }

  @Test
  void aLenderThatGoesWaitsForPagesOnTheirWayBack() throws Exception {
    try (CachedWorld world = new CachedWorld(1, 4, DISK).lending()) {
      world.read(world.buffered, 0, 4 * 4096);
      final CountDownLatch gate = new CountDownLatch(1);
      final CountDownLatch returning = new CountDownLatch(1);
      final CountDownLatch back = new CountDownLatch(1);
      world.disk.fate = (request, number) -> pass(gate);
      final var read = CompletableFuture.supplyAsync(() -> world.read(world.buffered, 160, 512));
      await(() -> world.disk.arrived.get() == 5);
      final var unbound = CompletableFuture.runAsync(() -> world.cache.unbindLender(world.lender));
      await(() -> world.lender.lentPages() == 1);
      world.lender.beforeReturn =
          () -> {
            returning.countDown();
            pass(back);
          };
      gate.countDown();
      returning.await();
      assertThat(world.lender.lentPages()).isEqualTo(1);
      Thread.sleep(20); // long enough for one that does not wait
      assertThat(unbound).isNotDone();
      back.countDown();
      unbound.get();
      assertThat(world.lender.lentPages()).isZero();
      read.get();
    }
  }

  @Test
  void aConfidentialGuestBorrowsNothing() {
    try (CachedWorld world = new CachedWorld(1, 8, DISK)) {
      world.memory.confidential = true;
      world.lending();
      world.read(world.buffered, 0, 8 * 4096);
      assertThat(world.lender.lentPages()).isZero();
      assertThat(world.cache.info().pages()).isEqualTo(1);
    }
  }

  @Test
  void writesPastTheCacheAreSeen() {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      world.read(world.buffered, 0, 8192);
      world.write(world.disk, 7, filled(512, 8));
      assertThat(world.read(world.buffered, 7, 512)).isEqualTo(filled(512, 8));
      world.disk.write(0, MemorySegment.ofArray(filled(512, 2)));
      assertThat(world.read(world.buffered, 0, 512)).isEqualTo(filled(512, 2));
      world.buffered.write(512, MemorySegment.ofArray(filled(4096, 1)));
      final byte[] back = new byte[4096];
      world.buffered.read(512, MemorySegment.ofArray(back));
      assertThat(back).isEqualTo(filled(4096, 1));
    }
  }

  @Test
  void aFillThatAWriteOvertakesIsNotKept() throws Exception {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      final CountDownLatch gate = new CountDownLatch(1);
      world.disk.fate =
          (request, number) -> {
            if (request.op == BlockOp.READ && number == 0) {
              return pass(gate);
            }
            return BlockStatus.OK;
          };
      final var read = CompletableFuture.supplyAsync(() -> world.read(world.buffered, 0, 512));
      await(() -> world.disk.reads.get() == 1);
      world.write(world.buffered, 7, filled(512, 8));
      assertThat(world.cache.info().pages()).isZero();
      gate.countDown();
      read.get();
      assertThat(world.cache.info().pages()).isZero();
      assertThat(world.read(world.buffered, 7, 512)).isEqualTo(filled(512, 8));
    }
  }

  @Test
  void aFailedReadIsToldAndNotKept() {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      world.disk.fate = (request, number) -> BlockStatus.IO_ERROR;
      assertThat(world.transfer(world.buffered, BlockOp.READ, 0, new byte[512]))
          .isEqualTo(BlockStatus.IO_ERROR);
      assertThat(world.cache.info().pages()).isZero();
      world.disk.fate = (request, number) -> BlockStatus.OK;
      assertThat(world.read(world.buffered, 0, 512)).isEqualTo(new byte[512]);
    }
  }

  @Test
  void aFailedWriteLeavesNoPageThatMayBeWrong() {
    try (CachedWorld world = new CachedWorld(16, 0, DISK)) {
      world.write(world.buffered, 0, filled(4096, 1));
      world.disk.fate =
          (request, number) -> {
            world.disk.content.asSlice(0, 512).fill((byte) 2); // half of it got there
            return BlockStatus.IO_ERROR;
          };
      assertThat(world.write(world.buffered, 0, filled(1024, 2))).isEqualTo(BlockStatus.IO_ERROR);
      world.disk.fate = (request, number) -> BlockStatus.OK;
      assertThat(world.read(world.buffered, 0, 512)).isEqualTo(filled(512, 2));
      assertThat(world.read(world.buffered, 1, 512)).isEqualTo(filled(512, 1));
    }
  }

  @Test
  void aDiskThatGoesLeavesNothingBehind() {
    try (CachedWorld world = new CachedWorld(4, 4, DISK).lending()) {
      world.read(world.buffered, 0, 8 * 4096);
      assertThat(world.cache.info().pages()).isEqualTo(8);
      world.disk.end();
      assertThat(world.cache.info().pages()).isZero();
      world.read(world.buffered, 0, 512);
      assertThat(world.cache.info().pages()).isZero();
    }
  }

  @Test
  void aLowerCeilingGivesPagesBackAtOnce() {
    try (CachedWorld world = new CachedWorld(8, 0, DISK)) {
      final long free = world.freePages();
      world.read(world.buffered, 0, 8 * 4096);
      assertThat(world.freePages()).isEqualTo(free - 8);
      world.cache.ceiling(3);
      assertThat(world.freePages()).isEqualTo(free - 3);
      world.read(world.buffered, 5 * 8, 3 * 4096); // the last used ones stayed
      assertThat(world.disk.reads.get()).isEqualTo(8);
    }
  }

  @Test
  void wrongRequestsAreRefused() {
    try (CachedWorld world = new CachedWorld(8, 0, DISK)) {
      final long buffer = world.pages.allocate(1, 4096, Long.MAX_VALUE);
      for (final long[] wrong : new long[][] {{0, 511}, {0, 0}, {-1, 512}, {511, 1024}}) {
        final BlockRequest request =
            CachedWorld.asynchronous(BlockOp.READ, wrong[0], buffer, (int) wrong[1]);
        assertThatThrownBy(() -> world.buffered.submit(request))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("vda: ");
      }
      final BlockRequest nowhere = CachedWorld.asynchronous(BlockOp.READ, 0, 1L << 40, 512);
      assertThatThrownBy(() -> world.buffered.submit(nowhere)).hasMessageContaining("not RAM");
      assertThat(world.disk.arrived.get()).isZero();
    }
  }
}
