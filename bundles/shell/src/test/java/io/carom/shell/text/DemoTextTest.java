package io.carom.shell.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.ExtentKind;
import io.carom.shell.demo.DemoReport;
import io.carom.virtio.SwiotlbPolicy;
import java.util.List;
import org.junit.jupiter.api.Test;

class DemoTextTest {
  private static final DemoReport.Run RUN =
      new DemoReport.Run(
          "vdb",
          SwiotlbPolicy.STRICT,
          "swiotlb-device",
          ExtentKind.DEVICE,
          "file",
          true,
          "randread",
          4096,
          32,
          171590.4,
          670.3,
          142.3,
          290.27,
          64 << 20,
          0,
          0,
          0,
          0,
          735555,
          null);

  private static DemoReport report(final String guestSum, final List<String> problems) {
    final DemoReport.DeviceSum sum =
        new DemoReport.DeviceSum(
            "vdb", SwiotlbPolicy.STRICT, 64 << 20, "0123456789abcdef0123", guestSum);
    return new DemoReport(
        new DemoReport.Disk(64 << 20, "0123456789abcdef0123", guestSum, List.of(sum)),
        List.of(RUN),
        0.84,
        new DemoReport.Swaps(300, 2, 0, 1L << 30, 0, 0, 391.6, 35.25),
        new DemoReport.Restart(130.2, 141, 15, 0, 0),
        problems,
        7,
        "25",
        2,
        1,
        problems.isEmpty());
  }

  @Test
  void isOnePage() {
    assertThat(DemoText.text(report("0123456789abcdef0123", List.of())))
        .isEqualTo(
            """
            disk     vdb (strict), 64 MiB read through the guest: SHA-256 0123456789abcdef... \
            equals the file's

            DEVICE  POLICY  STRATEGY        EXTENTS  BACKEND  RW          IOPS  P50 US  P99 US  \
            VERIFIED  CORRUPT  LOST  FAILED  TO SYSTEM  TO REGION
            vdb     strict  swiotlb-device  device   file     randread  171590   142.3   290.3  \
              64 MiB        0     0       0          0     735555

            price    swiotlb-device reaches 0.84 of direct's IOPS in memory, median of 7 rounds
            swaps    300 under load, 2 refused; 1 GiB verified, 0 corrupt, 0 lost, 0 failed maps; \
            grace at most 392 us, drain at most 35.3 ms
            restart  strategies away for 141 ms under load; longest pause 130 ms, 15 maps without \
            strategy, 0 corrupt, 0 lost
            result   OK: every byte was right and no request was lost\
            """);
  }

  @Test
  void namesProblems() {
    assertThat(DemoText.text(report("ff", List.of("vdb: SHA-256 differs"))))
        .contains("SHA-256 ff... DIFFERS from the file's\n")
        .endsWith("\nPROBLEM  vdb: SHA-256 differs\nresult   FAILED");
  }
}
