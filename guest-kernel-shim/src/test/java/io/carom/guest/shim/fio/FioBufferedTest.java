package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioJob.IoMemory;
import io.carom.guest.FioResult;
import io.carom.guest.shim.cache.PageCacheComponent;
import io.carom.guest.shim.fake.Defaults;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Workloads with direct=0, through the page cache. */
class FioBufferedTest {
  private final FioFixture fixture = new FioFixture();
  private final PageCacheComponent cache =
      new PageCacheComponent(
          fixture.memory,
          fixture.memory,
          Defaults.of(PageCacheComponent.Config.class, Map.of("pageCacheMiB", 1)));

  @BeforeEach
  void connect() {
    fixture.fio.bufferedDisks(cache);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private static FioJob buffered(final String rw) {
    return FioJob.of("vda", rw).withDirect(false);
  }

  @ParameterizedTest
  @CsvSource({"randrw,4096", "randrw,512", "randwrite,1536", "write,65536", "read,4096"})
  void verifiesEveryByte(final String rw, final int bs) throws InterruptedException {
    final FioResult result = fixture.run(buffered(rw).withBlockSize(bs).withDepth(4, 3));
    assertThat(result.corruptBlocks()).as(result.firstCorruption()).isZero();
    assertThat(result.lostRequests()).isZero();
    assertThat(result.verifiedBytes()).isPositive();
    assertThat(cache.info().hits()).isPositive();
    assertThat(fixture.disk.overlaps.get()).isZero();
    // what is on the disk is what the cache says
    assertThat(fixture.run(FioJob.of("vda", "read")).corruptBlocks()).isZero();
    assertThat(fixture.memory.usedPages()).isEqualTo(cache.info().pages());
  }

  @Test
  void aSecondRunReadsMemoryOnly() throws InterruptedException {
    fixture.run(buffered("write").withBlockSize(65536));
    fixture.disk.forgetOrder();
    assertThat(fixture.run(buffered("randread")).verifiedBytes()).isEqualTo(1 << 20);
    assertThat(fixture.disk.ops()).isEmpty();
  }

  @Test
  void damageOnTheDiskIsFoundBehindTheCacheAsWell() throws InterruptedException {
    fixture.layOut(); // past the cache
    final byte was = fixture.disk.content.get(ValueLayout.JAVA_BYTE, 5000);
    fixture.disk.content.set(ValueLayout.JAVA_BYTE, 5000, (byte) (was ^ 1));
    assertThat(fixture.run(buffered("randread")).corruptBlocks()).isEqualTo(1);
  }

  @Test
  void failedRequestsAreLostAndNothingElse() throws InterruptedException {
    fixture.layOut();
    fixture.disk.fault =
        (request, number, disk) -> {
          if (request.op == BlockOp.WRITE && request.sector == 80) {
            disk.complete(request, BlockStatus.IO_ERROR);
          } else {
            disk.finish(request);
          }
        };
    final FioResult result = fixture.run(buffered("randwrite"));
    assertThat(result.lostRequests()).isEqualTo(1);
    assertThat(result.corruptBlocks()).isZero();
  }

  @Test
  void unverifiedBufferedIoRunsOnTheJobsThread() throws InterruptedException {
    final FioResult result = fixture.run(buffered("randrw").withVerify(false).withDepth(16, 2));
    assertThat(result.requests()).isEqualTo(2 * FioFixture.BLOCKS);
    assertThat(fixture.disk.deepest.get()).isLessThanOrEqualTo(2);
  }

  @Test
  void reachableBuffersNeedDirectIo() {
    assertThatThrownBy(() -> fixture.run(buffered("read").withIomem(IoMemory.REACHABLE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("iomem=reachable needs direct=1");
  }

  @Test
  void withoutACacheItSaysSo() {
    try (FioFixture bare = new FioFixture()) {
      assertThatThrownBy(() -> bare.run(buffered("read")))
          .hasMessage("direct=0: the page cache is not running; use direct=1");
    }
  }

  @Test
  void aDiskThatAnswersNeverEndsTheRun() throws Exception {
    fixture.fio.describe("vda", fixture.disk.content);
    fixture.disk.fault = (request, number, disk) -> disk.hold(request);
    final var run =
        java.util.concurrent.CompletableFuture.supplyAsync(
            () -> {
              try {
                return fixture.run(buffered("read").withDepth(2, 1));
              } catch (final InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    while (fixture.disk.heldCount() == 0) {
      Thread.onSpinWait();
    }
    fixture.skewNs.addAndGet(TimeUnit.SECONDS.toNanos(36));
    assertThat(run.get(20, TimeUnit.SECONDS).lostRequests()).isPositive();
  }
}
