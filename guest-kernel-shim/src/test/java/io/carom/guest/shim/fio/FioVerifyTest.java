package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioResult;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FioVerifyTest {
  private static final FioJob READ = FioJob.of("vda", "randread");

  private final FioFixture fixture = new FioFixture();
  private final FakeDisk disk = fixture.disk;

  @AfterEach
  void close() {
    fixture.close();
  }

  private static void flip(final MemorySegment memory, final long offset) {
    final byte was = memory.get(ValueLayout.JAVA_BYTE, offset);
    memory.set(ValueLayout.JAVA_BYTE, offset, (byte) (was ^ 0x10));
  }

  private static boolean blockIn(final BlockRequest request, final Set<Long> blocks) {
    return blocks.contains(request.sector / 8);
  }

  private void corrupt(final FioResult result, final long blocks, final String word) {
    assertThat(result.corruptBlocks()).isEqualTo(blocks);
    assertThat(result.firstCorruption()).contains("vda: sector ").contains(word);
    assertThat(result.lostRequests()).isZero();
  }

  @Test
  void countsDamagedBlocks() throws InterruptedException {
    fixture.layOut();
    flip(disk.content, 3 * 4096 + 700);
    flip(disk.content, 3 * 4096 + 2000); // the same block
    flip(disk.content, 200 * 4096 + 4095);
    final FioResult result = fixture.run(READ);

    corrupt(result, 2, "damaged or torn");
    assertThat(result.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES - 3 * 512);
    assertThat(fixture.run(READ).corruptBlocks()).as("still wrong").isEqualTo(2);
  }

  @Test
  void countsBlocksDamagedOnTheWayOnly() throws InterruptedException {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          d.perform(request, request.sector);
          if (blockIn(request, Set.of(1L, 50L, 51L))) {
            flip(d.buffer(request), 8); // the sector number
          }
          d.complete(request, BlockStatus.OK);
        };
    corrupt(fixture.run(READ), 3, "damaged or torn");
    disk.fault = FakeDisk.NONE;
    assertThat(fixture.run(READ).corruptBlocks()).isZero();
  }

  @Test
  void countsMisplacedBlocks() throws InterruptedException {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          d.perform(request, blockIn(request, Set.of(10L, 20L)) ? 8 * 30 : request.sector);
          d.complete(request, BlockStatus.OK);
        };
    corrupt(fixture.run(READ), 2, "misplaced: holds sector 24");
  }

  @Test
  void countsOneMisplacedSectorInABlock() throws InterruptedException {
    fixture.layOut();
    MemorySegment.copy(disk.content, 512 * 77, disk.content, 512 * 78, 512);

    corrupt(fixture.run(READ), 1, "sector 78 (of the block at sector 72) is misplaced");
  }

  @Test
  void countsStaleBlocks() throws InterruptedException {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          if (request.op != BlockOp.WRITE || !blockIn(request, Set.of(7L))) {
            d.perform(request, request.sector);
          }
          d.complete(request, BlockStatus.OK); // also for what was not written
        };
    corrupt(fixture.run(FioJob.of("vda", "randwrite")), 1, "stale: holds version");
  }

  @Test
  void countsBlocksTornBetweenSectors() throws InterruptedException {
    fixture.layOut();
    tearWritesOf(8L, 512 * 3);
    corrupt(fixture.run(FioJob.of("vda", "write")), 1, "stale");
  }

  @Test
  void countsBlocksTornInsideASector() throws InterruptedException {
    fixture.layOut();
    tearWritesOf(8L, 4096 - 100);
    corrupt(fixture.run(FioJob.of("vda", "write")), 1, "damaged or torn");
  }

  private void tearWritesOf(final long block, final long bytes) {
    disk.fault =
        (request, number, d) -> {
          if (request.op == BlockOp.WRITE && request.sector == block * 8) {
            MemorySegment.copy(d.buffer(request), 0, d.content, request.sector * 512, bytes);
          } else {
            d.perform(request, request.sector);
          }
          d.complete(request, BlockStatus.OK);
        };
  }

  @Test
  void countsWritesThatWentElsewhere() throws InterruptedException {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          final boolean stray = request.op == BlockOp.WRITE && request.sector == 8 * 9;
          d.perform(request, stray ? 8 * 100 : request.sector);
          d.complete(request, BlockStatus.OK);
        };
    // the block that was not written is stale, and one that it hit may be right again
    final FioJob job = FioJob.of("vda", "write").withDepth(1, 1).withArea(0, 64 * 4096);
    corrupt(fixture.run(job), 1, "stale");
    disk.fault = FakeDisk.NONE;
    corrupt(fixture.run(READ), 2, "sector");
  }

  @Test
  void countsLostContent() throws InterruptedException {
    fixture.layOut();
    disk.content.asSlice(5 * 4096, 4096).fill((byte) 0);

    corrupt(fixture.run(READ), 1, "no identity");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void countsRandomDamageExactly(final long seed) throws InterruptedException {
    fixture.layOut();
    final SplittableRandom random = new SplittableRandom(seed);
    final Set<Long> hit = ConcurrentHashMap.newKeySet();
    for (int i = 0; i < 40; i++) {
      final long offset = random.nextLong(FioFixture.DISK_BYTES);
      if (hit.add(offset / 4096)) {
        flip(disk.content, offset);
      }
    }
    final FioResult result = fixture.run(READ.withDepth(8, 1));
    assertThat(result.corruptBlocks()).as("seed %d", seed).isEqualTo(hit.size());
  }

  @Test
  void writesOnlyWhatNobodyKnows() throws InterruptedException {
    fixture.fio.identify(disk.content, 7);
    disk.content.asSlice(512 * 1000, 1024).fill((byte) 1);
    final byte[] before = disk.content.toArray(ValueLayout.JAVA_BYTE);
    final FioResult result = fixture.run(READ);

    assertThat(result.corruptBlocks()).isZero();
    assertThat(result.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
    assertThat(disk.ops().stream().filter(op -> op == BlockOp.WRITE)).hasSize(1);
    final MemorySegment old = MemorySegment.ofArray(before);
    assertThat(old.asSlice(0, 512_000).mismatch(disk.content.asSlice(0, 512_000))).isEqualTo(-1);
    assertThat(old.asSlice(513_024).mismatch(disk.content.asSlice(513_024))).isEqualTo(-1);
  }

  @Test
  void keepsItsKnowledgeBetweenRuns() throws InterruptedException {
    fixture.layOut();
    fixture.run(READ);

    assertThat(disk.ops()).hasSize(FioFixture.BLOCKS).containsOnly(BlockOp.READ);
  }

  @Test
  void acceptsAnIdentifiedImageOnAReadOnlyDisk() throws InterruptedException {
    fixture.fio.identify(disk.content, 7);
    disk.readOnly = true;

    assertThat(fixture.run(READ).verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
    fixture.fio.identify(disk.content, 8);
    corrupt(fixture.run(READ), FioFixture.BLOCKS, "stale");
  }

  @Test
  void aReadOnlyDiskMustBeDescribed() throws InterruptedException {
    disk.readOnly = true;
    disk.content.fill((byte) 3);

    assertThatThrownBy(() -> fixture.run(READ))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("vda: sector ")
        .hasMessageContaining("describe");
    fixture.fio.describe("vda", disk.content);
    assertThat(fixture.run(READ).verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
    flip(disk.content, 9999);
    corrupt(fixture.run(READ), 1, "described with");
    fixture.fio.forget("vda");
    assertThatThrownBy(() -> fixture.run(READ)).hasMessageContaining("describe");
  }

  @Test
  void aDescribedDiskIsNotLaidOut() throws InterruptedException {
    final SplittableRandom random = new SplittableRandom(1);
    for (long offset = 0; offset < FioFixture.DISK_BYTES; offset += 8) {
      disk.content.set(ValueLayout.JAVA_LONG, offset, random.nextLong());
    }
    fixture.fio.describe("vda", disk.content);
    final FioResult result = fixture.run(FioJob.of("vda", "randrw"));

    assertThat(result.corruptBlocks()).isZero();
    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS);
    assertThat(fixture.run(READ).corruptBlocks()).isZero();
  }

  @Test
  void describesWholeDisksAndImagesOfWholeSectors() {
    assertThatThrownBy(() -> fixture.fio.describe("vda", disk.content.asSlice(0, 512)))
        .hasMessageContaining("512 bytes")
        .hasMessageContaining("1048576");
    assertThatThrownBy(() -> fixture.fio.identify(disk.content.asSlice(0, 100), 1))
        .hasMessageContaining("100 bytes");
  }

  @Test
  void aBusyDiskIsNotDescribed() throws InterruptedException {
    final CountDownLatch started = new CountDownLatch(1);
    disk.fault =
        (request, number, d) -> {
          started.countDown();
          d.finish(request);
        };
    final Thread load =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    fixture.run(READ.forMillis(300));
                  } catch (final InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();

    assertThatThrownBy(() -> fixture.fio.describe("vda", disk.content))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in use");
    assertThatThrownBy(() -> fixture.fio.forget("vda")).hasMessageContaining("in use");
    load.join();
    fixture.fio.forget("vda");
  }

  @Test
  void unverifiedWritesMakeSectorsUnknown() throws InterruptedException {
    fixture.layOut();
    fixture.run(FioJob.of("vda", "randwrite").withVerify(false).withArea(0, 65_536));
    disk.forgetOrder();
    final FioResult result = fixture.run(READ);

    assertThat(result.corruptBlocks()).isZero();
    final List<Long> rewritten =
        IntStream.range(0, disk.ops().size())
            .filter(i -> disk.ops().get(i) == BlockOp.WRITE)
            .mapToObj(i -> disk.order().get(i))
            .toList();
    assertThat(rewritten).containsExactly(0L); // one repair for all of the first 64 KiB
  }

  @Test
  void anotherDiskUnderTheSameNameIsNew() throws InterruptedException {
    fixture.layOut();
    disk.content.fill((byte) 0);
    disk.serial = "serial1";

    assertThat(fixture.run(READ).corruptBlocks()).isZero();
  }
}
