package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.SwapReport;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.shell.command.CommandFunction;
import io.carom.shell.command.Commands;
import io.carom.shell.fake.FakeFio;
import io.carom.shell.fake.FakeWorld;
import io.carom.shell.result.FioReport;
import io.carom.shell.result.Lists;
import io.carom.shell.service.Disks;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioStatus;
import java.util.List;
import java.util.Objects;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ResultConverterTest {
  private final FakeWorld world = new FakeWorld();

  @BeforeEach
  void plug() {
    world.virtio.addBlk(Disks.memory("disk0", 1 << 20, SwiotlbPolicy.HINT));
    world.virtio.addBlk(Disks.memory("disk1", 1 << 20, SwiotlbPolicy.STRICT));
  }

  @Test
  void alignsDevices() throws InterruptedException {
    assertThat(text(run("virtio:list")))
        .isEqualTo(
            """
            NAME   DISK  TYPE  ADDRESS       POLICY  STATE      REGION  QUEUES  REQUESTS  BACKEND
            disk0  vda   blk   0000:00:04.0  hint    driver-ok  16 MiB       1        42  memory
            disk1  vdb   blk   0000:00:05.0  strict  driver-ok  16 MiB       1        42  memory\
            """);
  }

  @Test
  void alignsStrategies() throws InterruptedException {
    assertThat(text(run("dma:strategies")))
        .isEqualTo(
            """
            STRATEGY       EXTENTS     RANKING  DEVICES       BUNDLE                   DESCRIPTION
            direct         -                 0  -             io.carom.dma.core 0.1.0  No bouncing.
            swiotlb-fixed  ram,device      100  0000:00:04.0  io.carom.swiotlb 0.1.0   Fixed pool.\
            """);
  }

  @Test
  void alignsFeatures() throws InterruptedException {
    assertThat(text(run("virtio:features", "vdb")))
        .isEqualTo(
            """
            BIT  FEATURE    OFFERED  ACCEPTED
              9  FLUSH      yes      no
             27  SWIOTLB    yes      yes
             32  VERSION_1  yes      yes\
            """);
  }

  @Test
  void showsThePageCache() throws InterruptedException {
    assertThat(text(run("guest:cache")))
        .startsWith("pages:       1024\n  borrowed:  768\nhits:        90000\n");
  }

  @Test
  void showsPoolsUnderTheKernelsNames() throws InterruptedException {
    assertThat(text(run("swiotlb:stat")).lines().findFirst().orElse(""))
        .contains("io_tlb_nslabs  io_tlb_used  io_tlb_used_hiwater");
  }

  @Test
  void showsOneDeviceInFull() throws InterruptedException {
    assertThat(text(run("dma:stat", "vda")))
        .contains("\nmaps without strategy:  0\n", "\nregion:                 16 MiB\n")
        .contains("\n  throttled:            0\n", "\nreachable buffers:      0 B\n");
    assertThat(text(run("dma:stat"))).startsWith("DEVICE        STRATEGY        EXTENTS");
    assertThat(text(run("virtio:info", "vda")))
        .contains("region address:      0x8000000000\n", "\nQUEUE  SIZE  ENABLED")
        .containsPattern("\nscrubbed on reset: +yes, 3 times\n")
        .containsPattern("\ncaching: +uncached\n")
        .containsPattern("\nlines loaded: +11\n")
        .containsPattern("\nunprotected pages: +14\n");
  }

  @Test
  void saysThatADeviceIsSuspended() throws InterruptedException {
    world.virtio.status =
        VirtioStatus.ACKNOWLEDGE
            | VirtioStatus.DRIVER
            | VirtioStatus.FEATURES_OK
            | VirtioStatus.SUSPEND;
    assertThat(text(run("virtio:info", "vda")))
        .contains("ACKNOWLEDGE,DRIVER,FEATURES_OK,SUSPEND\n");
    assertThat(text(run("virtio:list"))).contains("  suspend  ");
  }

  @Test
  void saysThatAListIsEmpty() {
    assertThat(text(new Lists.Transitions(List.of()))).isEqualTo("no swap is going on");
  }

  @Test
  void speaksFiosWords() throws InterruptedException {
    assertThat(text(fio()))
        .isEqualTo(
            """
            vda: rw=randread, bs=4 KiB, iodepth=32, numjobs=1, strategy=swiotlb-device, seed=1
              read: IOPS=180.0k, BW=703.1MiB/s (737.3MB/s)(4MiB/1000msec)
                lat (usec): 50.00th=[90.5], 90.00th=[120.0], 99.00th=[250.3], 99.90th=[400.0], \
            max=[1000.0]
              verify: 1 MiB right, 0 corrupt blocks; 0 lost requests, 2 requeues, \
            longest pause 12.5 ms\
            """);
    world.fio.twist = FakeFio::corrupt;
    assertThat(text(fio())).endsWith("\n  first corruption: sector 8 names sector 16");
  }

  @Test
  void hasThreeLevels() {
    final SwapReport swap =
        new SwapReport(
            "0000:00:04.0",
            null,
            null,
            "direct",
            null,
            1,
            2,
            "DRAINED",
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            "requested",
            9,
            0.5,
            0,
            null);
    assertThat(format(swap, Converter.INSPECT)).contains("\noutcome:     DRAINED\n");
    assertThat(format(swap, Converter.LINE))
        .isEqualTo(
            "0000:00:04.0  -  direct  -  2  requested  DRAINED  0.50  1.00  2.00  3.00  4  5  0  6"
                + "  7  8  1970-01-01T00:00:00Z  -");
    assertThat(format(swap, Converter.PART)).isEqualTo("0000:00:04.0");
  }

  @Test
  void leavesOtherObjectsToOthers() {
    assertThat(new ResultConverter().format(List.of(), Converter.INSPECT, new ResultConverter()))
        .isNull();
  }

  private FioReport fio() throws InterruptedException {
    return FioReport.of(
        world.fio.run(FioJob.of("vda", "randread"), FioProgress.SILENT), null, true);
  }

  private Object run(final String command, final String... arguments) throws InterruptedException {
    return new CommandFunction(Objects.requireNonNull(Commands.find(command)), world)
        .execute(arguments, line -> {});
  }

  private static String text(final Object result) {
    return format(result, Converter.INSPECT);
  }

  private static String format(final Object result, final int level) {
    return Objects.requireNonNull(
            new ResultConverter().format(result, level, new ResultConverter()))
        .toString();
  }
}
