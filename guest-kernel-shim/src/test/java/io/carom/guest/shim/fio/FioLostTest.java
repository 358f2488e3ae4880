package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FioLostTest {
  private static final FioJob READ = FioJob.of("vda", "randread");

  private final FioFixture fixture = new FioFixture();
  private final FakeDisk disk = fixture.disk;

  @AfterEach
  void close() {
    fixture.close();
  }

  private CompletableFuture<FioResult> start(final FioJob job) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return fixture.run(job);
          } catch (final InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void await(final BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(2);
    }
  }

  /** Holds the given number of requests of a kind, and performs all others. */
  private void hold(final int count, final BlockOp op) {
    disk.fault =
        (request, number, d) -> {
          if (request.op != op || !d.holdUpTo(count, request)) {
            d.finish(request);
          }
        };
  }

  /** Loses what is held after so many submissions, and nothing that is only about to end. */
  private void lose(final CompletableFuture<?> run, final int count, final int submissions)
      throws InterruptedException {
    await(() -> disk.order().size() == submissions && disk.allEndedBut(count));
    assertThat(run).isNotDone();
    fixture.skewNs.addAndGet(TimeUnit.SECONDS.toNanos(31));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void countsRequestsWithoutCompletion(final boolean verify) throws Exception {
    fixture.layOut();
    hold(3, BlockOp.READ);
    final var run = start(READ.withVerify(verify));
    lose(run, 3, FioFixture.BLOCKS);
    final FioResult result = run.get();

    assertThat(result.lostRequests()).isEqualTo(3);
    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS - 3);
    assertThat(result.corruptBlocks()).isZero();
    assertThat(fixture.memory.usedPages()).as("buffers of lost requests").isEqualTo(3);

    disk.held.forEach(disk::finish); // late
    assertThat(fixture.memory.usedPages()).isZero();
    assertThat(fixture.run(READ).verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
  }

  @Test
  void aLostWriteIsPassedByUntilItEndsAndThenRewritten() throws Exception {
    fixture.layOut();
    hold(1, BlockOp.WRITE);
    final var run = start(FioJob.of("vda", "randwrite"));
    lose(run, 1, FioFixture.BLOCKS);
    assertThat(run.get().lostRequests()).isEqualTo(1);
    final BlockRequest lost = disk.held.getFirst();

    disk.forgetOrder();
    final FioResult without = fixture.run(READ);
    assertThat(without.corruptBlocks()).isZero();
    assertThat(without.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES - 4096);
    assertThat(disk.order()).doesNotContain(lost.sector);

    disk.finish(lost); // the write lands after all
    disk.forgetOrder();
    final FioResult with = fixture.run(READ);
    assertThat(with.corruptBlocks()).isZero();
    assertThat(with.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
    assertThat(disk.ops().stream().filter(op -> op == BlockOp.WRITE)).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"true,true", "true,false", "false,true", "false,false"})
  void aDeviceThatLosesEverythingEndsTheRun(final boolean verify, final boolean timeBased)
      throws Exception {
    fixture.fio.describe("vda", disk.content);
    disk.fault = (request, number, d) -> d.hold(request);
    final FioJob job = READ.withVerify(verify).withDepth(8, 2);
    final var run = start(timeBased ? job.forMillis(10_000_000) : job);
    lose(run, 16, 16);
    final FioResult result = run.get();

    assertThat(result.lostRequests()).isEqualTo(16);
    assertThat(result.requests()).isZero();
    assertThat(result.iops()).isZero();
    assertThat(result.p50Us()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = BlockStatus.class,
      names = {"IO_ERROR", "UNSUPPORTED", "GONE", "TIMEOUT"})
  void countsRequestsThatFail(final BlockStatus status) throws Exception {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          if (request.sector == 80 || request.sector == 160) {
            d.complete(request, status);
          } else {
            d.finish(request);
          }
        };
    final FioResult result = fixture.run(READ);

    assertThat(result.lostRequests()).isEqualTo(2);
    assertThat(result.requests()).isEqualTo(FioFixture.BLOCKS - 2);
    assertThat(fixture.memory.usedPages()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFailedWriteMayHaveHappenedOrNot(final boolean happened) throws Exception {
    fixture.layOut();
    disk.fault =
        (request, number, d) -> {
          final boolean fails = request.op == BlockOp.WRITE && request.sector == 80;
          if (!fails || happened) {
            d.perform(request, request.sector);
          }
          d.complete(request, fails ? BlockStatus.IO_ERROR : BlockStatus.OK);
        };
    final FioResult written = fixture.run(FioJob.of("vda", "randwrite"));
    assertThat(written.lostRequests()).isEqualTo(1);
    assertThat(written.corruptBlocks()).isZero();
    assertThat(written.verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES - 4096);

    disk.fault = FakeDisk.NONE;
    assertThat(fixture.run(READ).corruptBlocks()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDeviceThatGoesEndsTheRun(final boolean verify) throws Exception {
    fixture.fio.describe("vda", disk.content);
    disk.fault =
        (request, number, d) -> {
          if (number < 100) {
            d.finish(request);
          } else {
            d.live = false;
            d.complete(request, BlockStatus.GONE);
          }
        };
    final FioResult result = fixture.run(READ.withVerify(verify).forMillis(10_000_000));

    assertThat(result.requests()).isEqualTo(100);
    assertThat(result.lostRequests()).isBetween(1L, 32L + 1);
    assertThat(fixture.memory.usedPages()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"true,0", "true,100", "false,0", "false,100"})
  void aHangInSubmissionEndsTheRun(final boolean verify, final int at) throws Exception {
    fixture.layOut();
    disk.gate = new CountDownLatch(1);
    disk.gateAt = at;
    final var run = start(READ.withVerify(verify).forMillis(10_000_000));
    await(() -> disk.entered() > at && disk.order().size() == at);
    fixture.skewNs.addAndGet(TimeUnit.SECONDS.toNanos(36));
    final FioResult result = run.get();

    assertThat(result.lostRequests()).isPositive();
    assertThat(result.corruptBlocks()).isZero();
    disk.gate.countDown();
    await(() -> disk.order().size() == at + 1);
    await(() -> fixture.memory.usedPages() == 0); // the last request has ended: no claim is left
    assertThat(fixture.run(READ).verifiedBytes()).isEqualTo(FioFixture.DISK_BYTES);
  }

  @Test
  void claimsThatNobodyReleasesEndTheRun() throws Exception {
    final DiskLedger ledger = new DiskLedger(FioFixture.DISK_BYTES / 512, 1L << 50);
    assertThat(ledger.tryClaim(0, 8)).isTrue();
    final var runner =
        new FioRun(
            FioPlan.of(FioJob.of("vda", "write"), disk),
            ledger,
            new SlotBuffers(fixture.memory, fixture.memory),
            fixture.settings());
    final var run = CompletableFuture.supplyAsync(() -> execute(runner));
    lose(run, 0, FioFixture.BLOCKS - 1);

    assertThatThrownBy(run::get).hasMessageContaining("holds the blocks that are left");
    assertThat(fixture.memory.usedPages()).isZero();
  }

  private static FioResult execute(final FioRun run) {
    try {
      return run.execute(FioProgress.SILENT, disk -> null);
    } catch (final InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aRefusedRequestFailsTheRun() {
    disk.refuses = true;

    assertThatThrownBy(() -> fixture.run(READ.withVerify(false)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("vda refused a request: no");
    assertThat(fixture.memory.usedPages()).isZero();
  }

  @Test
  void anInterruptEndsTheRun() throws Exception {
    final CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    final Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    fixture.run(READ.forMillis(10_000_000));
                  } catch (final InterruptedException e) {
                    thrown.complete(e);
                  }
                });
    await(() -> disk.submitted.get() > 1000);
    caller.interrupt();

    assertThat(thrown.get(20, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertThat(fixture.memory.usedPages()).isZero();
    assertThat(fixture.run(READ).corruptBlocks()).isZero();
  }

  @Test
  void anInterruptDoesNotWaitForLostRequests() throws Exception {
    fixture.fio.describe("vda", disk.content);
    disk.fault = (request, number, d) -> d.hold(request);
    final Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    fixture.run(READ);
                  } catch (final InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    await(() -> disk.heldCount() == 32);
    caller.interrupt();
    caller.join();

    assertThat(fixture.memory.usedPages()).isEqualTo(32);
    List.copyOf(disk.held).forEach(disk::finish);
    assertThat(fixture.memory.usedPages()).isZero();
  }

  @Test
  void stoppingTheComponentEndsTheRun() throws Exception {
    final var run = start(READ.withVerify(false).forMillis(10_000_000));
    await(() -> disk.submitted.get() > 1000);
    fixture.fio.close();

    assertThatThrownBy(run::get).hasMessageContaining("stopped with the shim");
    assertThat(fixture.memory.usedPages()).isZero();
    assertThatThrownBy(() -> fixture.run(READ)).hasMessageContaining("stopping");
  }
}
