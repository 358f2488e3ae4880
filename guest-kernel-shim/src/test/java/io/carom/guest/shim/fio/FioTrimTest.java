package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockLimits;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioResult;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Workloads that discard. */
class FioTrimTest {
  private static final List<Long> ALL =
      LongStream.range(0, FioFixture.BLOCKS).map(block -> block * 8).boxed().toList();
  private static final FioJob READ = FioJob.of("vda", "read");
  private static final FioJob TRIM = FioJob.of("vda", "trim");

  private final FioFixture fixture = new FioFixture();
  private final FakeDisk disk = fixture.disk;

  @BeforeEach
  void knowDiscard() {
    disk.limits = new BlockLimits(512, 512, 0, 1 << 20, 0, false);
  }

  @AfterEach
  void close() {
    assertThat(fixture.memory.usedPages()).isZero();
    assertThat(disk.overlaps).hasValue(0);
    fixture.close();
  }

  private List<Long> sectors(final BlockOp op) {
    final List<BlockOp> ops = disk.ops();
    final List<Long> order = disk.order();
    final List<Long> found = new ArrayList<>();
    for (int i = 0; i < ops.size(); i++) {
      if (ops.get(i) == op) {
        found.add(order.get(i));
      }
    }
    return found;
  }

  private static boolean zero(final MemorySegment bytes) {
    return bytes.mismatch(MemorySegment.ofArray(new byte[(int) bytes.byteSize()])) == -1;
  }

  private static void right(final FioResult result, final long bytes) {
    assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
    assertThat(result.lostRequests()).isZero();
    assertThat(result.verifiedBytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"trim", "randtrim"})
  void discardsEachBlockOnceAndReadsItBack(final String rw) throws InterruptedException {
    final FioResult result = fixture.run(FioJob.of("vda", rw));

    right(result, FioFixture.DISK_BYTES);
    assertThat(result.rw()).isEqualTo(rw);
    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS);
    assertThat(zero(disk.content)).isTrue();
    if (rw.equals("trim")) {
      assertThat(sectors(BlockOp.DISCARD)).isEqualTo(ALL);
    } else {
      assertThat(sectors(BlockOp.DISCARD))
          .isNotEqualTo(ALL)
          .containsExactlyInAnyOrderElementsOf(ALL);
    }
    assertThat(sectors(BlockOp.READ)).isEqualTo(ALL);
  }

  @Test
  void overwritesFirstWhatMayBeZeroAlready() throws InterruptedException {
    for (int round = 0; round < 2; round++) { // what was trimmed before is not taken as it is
      final List<Boolean> wasZero = new CopyOnWriteArrayList<>();
      disk.fault =
          (request, number, d) -> {
            if (request.op == BlockOp.DISCARD) {
              wasZero.add(zero(d.content.asSlice(request.sector * 512, request.length)));
            }
            d.finish(request);
          };
      right(fixture.run(TRIM), FioFixture.DISK_BYTES);
      assertThat(wasZero).hasSize(FioFixture.BLOCKS).containsOnly(false);
    }
  }

  @Test
  void seesThatADiskDiscardsNothing() throws InterruptedException {
    disk.fault =
        (request, number, d) -> {
          if (request.op != BlockOp.DISCARD) {
            d.perform(request, request.sector);
          }
          d.complete(request, BlockStatus.OK);
        };
    final FioResult result = fixture.run(TRIM);

    assertThat(result.corruptBlocks()).isEqualTo(FioFixture.BLOCKS);
    assertThat(result.verifiedBytes()).isZero();
    // requests in flight together may end in any order
    assertThat(result.firstCorruption())
        .matches(
            "vda: sector (\\d+) \\(of the block at sector \\1\\) was discarded and is not zero:"
                + " byte 0 is 0x43");
  }

  @Test
  void seesOneByteThatIsNotZero() throws InterruptedException {
    final long seed = Long.getLong("carom.seed", 11);
    final int at = new SplittableRandom(seed).nextInt(FioFixture.DISK_BYTES);
    disk.fault =
        (request, number, d) -> {
          d.perform(request, request.sector);
          if (request.op == BlockOp.DISCARD && request.sector == at / 4096 * 8L) {
            d.content.set(ValueLayout.JAVA_BYTE, at, (byte) 0x80);
          }
          d.complete(request, BlockStatus.OK);
        };
    final FioResult result = fixture.run(FioJob.of("vda", "randtrim"));

    assertThat(result.corruptBlocks()).as("-Dcarom.seed=%d", seed).isEqualTo(1);
    assertThat(result.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES - 512);
    assertThat(result.firstCorruption())
        .contains("vda: sector " + at / 512 + " (of", "byte " + at % 512 + " is 0x80");
  }

  @Test
  void zeroesAreKnownToLaterWorkloads() throws InterruptedException {
    fixture.run(TRIM);
    disk.forgetOrder();
    right(fixture.run(READ), FioFixture.DISK_BYTES);
    assertThat(disk.ops()).containsOnly(BlockOp.READ);
    disk.content.set(ValueLayout.JAVA_BYTE, 70_000, (byte) 1);
    assertThat(fixture.run(READ).corruptBlocks()).isEqualTo(1);
    disk.content.set(ValueLayout.JAVA_BYTE, 70_000, (byte) 0);
    final FioResult mixed = fixture.run(FioJob.of("vda", "randrw"));
    assertThat(mixed.corruptBlocks()).as(mixed.firstCorruption()).isZero();
    right(fixture.run(READ), FioFixture.DISK_BYTES);
  }

  @Test
  void leavesWhatIsOutsideOfTheArea() throws InterruptedException {
    fixture.layOut();
    final MemorySegment before = MemorySegment.ofArray(disk.content.toArray(ValueLayout.JAVA_BYTE));
    right(fixture.run(TRIM.withBlockSize(1536).withArea(4608, 46_080)), 46_080);

    assertThat(before.asSlice(0, 4608).mismatch(disk.content.asSlice(0, 4608))).isEqualTo(-1);
    assertThat(zero(disk.content.asSlice(4608, 46_080))).isTrue();
    assertThat(before.asSlice(50_688).mismatch(disk.content.asSlice(50_688))).isEqualTo(-1);
    right(fixture.run(READ), FioFixture.DISK_BYTES);
  }

  @Test
  void aDiscardThatFailedLeavesItsBlockUncertain() throws InterruptedException {
    disk.fault =
        (request, number, d) -> {
          if (request.op == BlockOp.DISCARD && request.sector == 80) {
            d.complete(request, BlockStatus.IO_ERROR);
          } else {
            d.finish(request);
          }
        };
    final FioResult result = fixture.run(TRIM);
    assertThat(result.lostRequests()).isEqualTo(1);
    assertThat(result.corruptBlocks()).isZero();
    assertThat(result.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES - 4096);
    disk.fault = FakeDisk.NONE;
    disk.forgetOrder();
    right(fixture.run(READ), FioFixture.DISK_BYTES);
    assertThat(sectors(BlockOp.WRITE)).as("laid out anew").containsExactly(80L);
  }

  @Test
  void withoutVerifyItOnlyDiscards() throws InterruptedException {
    fixture.layOut();
    final FioResult result = fixture.run(TRIM.withVerify(false).withArea(0, 65_536));

    right(result, 0);
    assertThat(disk.ops()).hasSize(16).containsOnly(BlockOp.DISCARD);
    disk.forgetOrder();
    right(fixture.run(READ), FioFixture.DISK_BYTES);
    assertThat(sectors(BlockOp.WRITE)).as("nobody knows them").containsExactly(0L);
  }

  @Test
  void saysWhyItLaysOut() throws InterruptedException {
    final List<String> lines = new CopyOnWriteArrayList<>();
    fixture.fio.run(TRIM, lines::add);

    assertThat(lines.getFirst()).isEqualTo("vda: laying out 1024 KiB that will be trimmed");
  }
}
