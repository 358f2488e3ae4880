package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.carom.guest.BlockOp;
import io.carom.guest.FioJob;
import io.carom.guest.FioResult;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FioWorkloadTest {
  private static final List<Long> ALL =
      LongStream.range(0, FioFixture.BLOCKS).map(block -> block * 8).boxed().toList();

  private FioFixture fixture = new FioFixture();

  @AfterEach
  void close() {
    assertThat(fixture.memory.usedPages()).isZero();
    fixture.close();
  }

  private FioResult run(final FioJob job) throws InterruptedException {
    return fixture.run(job);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void readsInOrderAndOnce(final boolean inline) throws InterruptedException {
    fixture.close();
    fixture = new FioFixture(inline);
    final FioResult result = run(FioJob.of("vda", "read").withVerify(false));

    assertThat(fixture.disk.order()).isEqualTo(ALL);
    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS);
    assertThat(result.verifiedBytes()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void keepsTheDepthInFlight(final boolean verify) throws InterruptedException {
    fixture.layOut();
    fixture.disk.fault = (request, number, disk) -> disk.finishTogether(request, 32);
    final FioResult result = run(FioJob.of("vda", "randread").withVerify(verify));

    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS);
    assertThat(fixture.disk.deepest).hasValue(32);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void randomReadsVisitEachBlockOnce(final boolean inline) throws InterruptedException {
    fixture.close();
    fixture = new FioFixture(inline);
    run(FioJob.of("vda", "randread").withVerify(false));

    assertThat(fixture.disk.order()).isNotEqualTo(ALL).containsExactlyInAnyOrderElementsOf(ALL);
  }

  @ParameterizedTest
  @ValueSource(strings = {"read", "write", "randread", "randwrite", "randrw"})
  void verifiesEveryWorkload(final String rw) throws InterruptedException {
    final FioResult result = run(FioJob.of("vda", rw));

    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS);
    assertThat(result.corruptBlocks()).isZero();
    assertThat(result.lostRequests()).isZero();
    assertThat(result.firstCorruption()).isNull();
    if (rw.equals("randrw")) {
      assertThat(result.verifiedBytes()).isGreaterThanOrEqualTo(FioFixture.DISK_BYTES);
    } else {
      assertThat(result.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
    }
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  @Test
  void reportsWhatItMeasured() throws InterruptedException {
    fixture.disk.requeues.set(3);
    fixture.disk.fault =
        (request, number, disk) -> {
          disk.requeues.incrementAndGet();
          LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
          disk.finish(request);
        };
    final FioResult result =
        run(FioJob.of("vda", "randread").withVerify(false).withDepth(4, 1).withSeed(9));

    assertThat(result.device()).isEqualTo("vda");
    assertThat(result.strategy()).isNull();
    assertThat(result.rw()).isEqualTo("randread");
    assertThat(result.bsBytes()).isEqualTo(4096);
    assertThat(result.iodepth()).isEqualTo(4);
    assertThat(result.numjobs()).isEqualTo(1);
    assertThat(result.seed()).isEqualTo(9);
    assertThat(result.requeues()).isEqualTo(FioFixture.BLOCKS);
    assertThat(result.p50Us()).isGreaterThanOrEqualTo(200);
    assertThat(result.p90Us()).isGreaterThanOrEqualTo(result.p50Us());
    assertThat(result.p99Us()).isGreaterThanOrEqualTo(result.p90Us());
    assertThat(result.p999Us()).isGreaterThanOrEqualTo(result.p99Us());
    assertThat(result.maxUs()).isGreaterThanOrEqualTo(result.p999Us());
    assertThat(result.iops() * 4096 / (1 << 20))
        .isCloseTo(result.mibPerSecond(), withPercentage(0.1));
    assertThat(result.maxPauseMs()).isBetween(0.2, 10_000.0);
  }

  @Test
  void aPauseOfTheDeviceIsSeen() throws InterruptedException {
    fixture.disk.fault =
        (request, number, disk) -> {
          if (number == 100 || number == 101) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(120));
          }
          disk.finish(request);
        };
    final FioResult result = run(FioJob.of("vda", "read").withVerify(false));

    assertThat(result.maxPauseMs()).isBetween(60.0, 20_000.0);
  }

  @Test
  void sizeEndsAJobBeforeItsRuntime() throws InterruptedException {
    final FioJob job =
        new FioJob("vda", "read", 4096, 8, 1, 8192, 65_536, 60_000, false, false, 50, 1);

    assertThat(run(job).requests()).isEqualTo(16);
    assertThat(fixture.disk.order()).isEqualTo(ALL.subList(2, 18));
  }

  @Test
  void runtimeEndsAJobBeforeItsSize() throws InterruptedException {
    slow();
    final FioJob job = new FioJob("vda", "read", 4096, 1, 1, 0, 0, 50, false, false, 50, 1);
    final FioResult result = run(job);

    assertThat(result.requests()).isBetween(1L, FioFixture.BLOCKS - 1L);
    assertThat(result.runtimeMs()).isGreaterThanOrEqualTo(50);
  }

  @ParameterizedTest
  @ValueSource(strings = {"read", "randread", "randrw"})
  void timeBasedGoesRoundUntilTheTimeIsOver(final String rw) throws InterruptedException {
    long ms = 300;
    FioResult result = run(FioJob.of("vda", rw).withArea(0, 65_536).forMillis(ms));
    while (result.requests() <= 32 && ms < 60_000) { // the machine has other work to do
      ms *= 3;
      result = run(FioJob.of("vda", rw).withArea(0, 65_536).forMillis(ms));
    }

    assertThat(result.requests()).isGreaterThan(32);
    assertThat(result.runtimeMs()).isGreaterThanOrEqualTo(ms);
    assertThat(result.corruptBlocks()).isZero();
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  private void slow() {
    fixture.disk.fault =
        (request, number, disk) -> {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
          disk.finish(request);
        };
  }

  @Test
  void sequentialJobsHaveTheirOwnParts() throws InterruptedException {
    final FioJob job = FioJob.of("vda", "write").withDepth(4, 3).withArea(0, 30 * 4096);
    final FioResult result = run(job);

    // each job transfers the size, so goes three times round its third
    assertThat(result.requests()).isEqualTo(90);
    final List<Long> written = fixture.disk.order().subList(0, 90);
    for (final long sector : ALL.subList(0, 30)) {
      assertThat(Collections.frequency(written, sector)).isEqualTo(3);
    }
    assertThat(result.verifiedBytes()).isEqualTo(30 * 4096);
    assertThat(result.corruptBlocks()).isZero();
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  @Test
  void randomJobsShareTheAreaWithoutMeeting() throws InterruptedException {
    final FioJob job =
        FioJob.of("vda", "randrw").withDepth(16, 4).withArea(0, 64 * 4096).forMillis(300);
    final FioResult result = run(job);

    assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
    assertThat(result.lostRequests()).isZero();
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  @Test
  void runsOfDifferentBlockSizesDoNotMeet() throws InterruptedException {
    final List<FioResult> results = new CopyOnWriteArrayList<>();
    final List<Thread> threads =
        List.of(512, 3584, 4096, 65_536).stream()
            .map(
                bs ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              try {
                                results.add(
                                    run(
                                        FioJob.of("vda", "randrw")
                                            .withBlockSize(bs)
                                            .withDepth(4, 1)
                                            .withSeed(bs)
                                            .forMillis(300)));
                              } catch (final InterruptedException e) {
                                Thread.currentThread().interrupt();
                              }
                            }))
            .toList();
    for (final Thread thread : threads) {
      thread.join();
    }

    assertThat(results).hasSize(4);
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
              assertThat(result.lostRequests()).isZero();
            });
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  @Test
  void moreDepthThanBlocksWaitsForItself() throws InterruptedException {
    final FioJob job =
        FioJob.of("vda", "randwrite").withArea(0, 4 * 4096).withDepth(32, 1).forMillis(100);
    long most = 0;
    for (int i = 0; i < 50 && most <= 4; i++) { // a busy machine may not begin within one run
      most = run(job).requests();
    }
    assertThat(most).isGreaterThan(4);
    assertThat(fixture.disk.deepest.get()).isLessThanOrEqualTo(4);
    assertThat(fixture.disk.overlaps).hasValue(0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 20, 80, 100})
  void mixesAsTold(final int percent) throws InterruptedException {
    run(new FioJob("vda", "randrw", 512, 8, 1, 0, 0, 0, false, false, percent, 1));

    final long reads = fixture.disk.ops().stream().filter(op -> op == BlockOp.READ).count();
    final int blocks = FioFixture.DISK_BYTES / 512;
    assertThat(100.0 * reads / blocks).isBetween(percent * 0.85, percent * 1.15);
  }

  @Test
  void aSeedRepeats() throws InterruptedException {
    final FioJob job = FioJob.of("vda", "randrw").withVerify(false).withDepth(1, 1);
    run(job.withSeed(4));
    final List<Long> order = fixture.disk.order();
    final List<BlockOp> ops = fixture.disk.ops();
    fixture.disk.forgetOrder();
    run(job.withSeed(4));
    assertThat(fixture.disk.order()).isEqualTo(order);
    assertThat(fixture.disk.ops()).isEqualTo(ops);
    fixture.disk.forgetOrder();
    run(job.withSeed(5));
    assertThat(fixture.disk.order()).isNotEqualTo(order);
    assertThat(fixture.disk.ops()).isNotEqualTo(ops);
  }

  @Test
  void contentsRepeatWithTheSeed() throws InterruptedException {
    run(FioJob.of("vda", "write").withSeed(4).withDepth(1, 1));
    try (FioFixture other = new FioFixture();
        FioFixture third = new FioFixture()) {
      other.run(FioJob.of("vda", "write").withSeed(4).withDepth(1, 1));
      third.run(FioJob.of("vda", "write").withSeed(5).withDepth(1, 1));
      assertThat(other.disk.content.mismatch(fixture.disk.content)).isEqualTo(-1);
      assertThat(third.disk.content.mismatch(fixture.disk.content)).isNotEqualTo(-1);
    }
  }

  @Test
  void tellsProgress() throws InterruptedException {
    slow();
    final List<String> lines = new CopyOnWriteArrayList<>();
    fixture.fio.run(FioJob.of("vda", "randread").withDepth(2, 1).forMillis(400), lines::add);

    assertThat(lines.getFirst()).startsWith("vda: laying out 1024 KiB");
    assertThat(lines)
        .anyMatch(l -> l.matches("vda: [0-9.]+s \\[randread] \\d+ IOPS, \\d+ MiB/s, 0 corrupt"));
  }
}
