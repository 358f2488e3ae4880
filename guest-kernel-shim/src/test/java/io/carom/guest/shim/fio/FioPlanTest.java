package io.carom.guest.shim.fio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.FioJob;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FioPlanTest {
  private final FioFixture fixture = new FioFixture();
  private final FioJob job = FioJob.of("vda", "randread");

  @AfterEach
  void close() {
    fixture.close();
  }

  private void refused(final FioJob bad, final String... words) {
    assertThatThrownBy(() -> fixture.run(bad))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words)
        .hasMessageNotContaining("\n");
    assertThat(fixture.disk.submitted).hasValue(0);
    assertThat(fixture.memory.usedPages()).isZero();
  }

  @Test
  void namesTheDisksThereAre() {
    refused(FioJob.of("vdb", "read"), "device=vdb", "vda");
  }

  @Test
  void refusesTrimForWantOfDiscard() {
    refused(FioJob.of("vda", "trim"), "rw=trim", "no DISCARD", "rw=write");
    refused(FioJob.of("vda", "randtrim"), "rw=randtrim", "no DISCARD");
    refused(FioJob.of("vda", "reed"), "rw=reed", "randread");
  }

  @Test
  void refusesToWriteAReadOnlyDisk() {
    fixture.disk.readOnly = true;
    refused(FioJob.of("vda", "write"), "rw=write", "read-only");
    refused(FioJob.of("vda", "randrw"), "rw=randrw", "read-only");
    refused(FioJob.of("vda", "trim"), "rw=trim", "read-only");
  }

  @Test
  void refusesADeadDisk() {
    fixture.disk.live = false;
    refused(job, "device=vda");
  }

  @Test
  void refusesWhatIsOutOfRange() {
    refused(job.withBlockSize(1000), "bs=1000", "512");
    refused(job.withBlockSize(0), "bs=0", "512");
    refused(job.withBlockSize((1 << 20) + 512), "bs=1049088", "1m");
    refused(job.withDepth(0, 1), "iodepth=0", "1024");
    refused(job.withDepth(1025, 1), "iodepth=1025", "1024");
    refused(job.withDepth(1, 65), "numjobs=65", "64");
    refused(job.withArea(100, 0), "offset=100", "512");
    refused(job.withArea(-512, 0), "offset=-512");
    refused(job.withArea(FioFixture.DISK_BYTES, 0), "offset=1048576", "1048576 bytes");
    refused(job.withArea(4096, FioFixture.DISK_BYTES), "size=1048576", "1044480");
    refused(job.withArea(4096, Long.MAX_VALUE), "size=9223372036854775807");
    refused(job.withArea(0, 512), "size=512", "bs=4096");
    refused(job.forMillis(-1), "runtime=-1");
    refused(job.forMillis(0), "time_based", "runtime");
    refused(new FioJob("vda", "randrw", 4096, 1, 1, 0, 0, 0, false, true, 101, 1), "rwmixread=101");
    refused(
        FioJob.of("vda", "read").withDepth(1, 4).withArea(0, 3 * 4096), "numjobs=4", "3 blocks");
  }

  @Test
  void refusesMoreBuffersThanTheGuestHas() {
    refused(
        job.withBlockSize(1 << 20).withDepth(32, 1).withVerify(false), "bs=1048576", "iodepth=32");
  }

  @Test
  void aBlockSizeNeedNotBeAPowerOfTwo() throws InterruptedException {
    assertThat(fixture.run(job.withBlockSize(512 * 7)).verifiedBytes())
        .isEqualTo(FioFixture.DISK_BYTES / 3584 * 3584L);
  }
}
