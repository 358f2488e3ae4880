package io.carom.guest.shim.dmabench;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FailedMapTest {
  private static final String PREFIX =
      "ioctl: Cannot allocate memory: a map of 65536 bytes failed: ";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tooBig|too big, swiotlb-fixed maps at most 32768 bytes; lower -g",
        "fragmented|pool P is fragmented, its largest free run is 4096 bytes, used 900 of 1000"
            + " slots; lower -t, -g or --fill, or raise slots of swiotlb-fixed",
        "full|pool P is full, used 900 of 1000 slots; lower -t, -g or --fill, or raise slots of"
            + " swiotlb-fixed",
        "throttled|pool P is throttled, used 900 of 1000 slots; lower -t, -g or --fill, or raise"
            + " slots of swiotlb-fixed",
        "mask|beyond the device's mask 0xffffffff; raise -b, or use a strategy that bounces to"
            + " where it reaches",
        "strategyErrors|strategy swiotlb-fixed failed; see the log",
        "noStrategy|no strategy; start one, or set strategy.fallback of io.carom.dma.core"
      })
  void saysReasonAndKnob(final String reason, final String text) {
    // what failed before the run, as while the pool was filled, does not count
    final DmaDeviceInfo before = info("", 3);
    final DmaDeviceInfo after = info(reason, 3);
    assertThat(new FailedMap(job(90), before, after, pool(null), 32768).message())
        .isEqualTo(PREFIX + text);
  }

  @ParameterizedTest
  @CsvSource({
    "0,'; lower -t, -g, or raise --region'",
    "50,'; lower -t, -g or --fill, or raise --region'"
  })
  void namesTheDevicesOwnRegion(final int fill, final String knob) {
    assertThat(
            new FailedMap(job(fill), info("", 0), info("full", 0), pool(DmaBench.DEVICE), 262144)
                .message())
        .isEqualTo(PREFIX + "pool P is full, used 900 of 1000 slots" + knob);
  }

  private static DmaBenchJob job(final int fill) {
    return new DmaBenchJob(
        1,
        1000,
        -1,
        32,
        DmaDirection.TO_DEVICE,
        0,
        16,
        DmaBenchMode.SINGLE_MODE,
        false,
        "swiotlb-fixed",
        ExtentKind.RAM,
        DmaBenchJob.REGION_BYTES,
        fill,
        1);
  }

  private static PoolInfo pool(final @Nullable String device) {
    return new PoolInfo(
        "P", "swiotlb-fixed", ExtentKind.RAM, device, "ACTIVE", 1000, 900, 0, 0, 1, 4096);
  }

  private static DmaDeviceInfo info(final String reason, final long each) {
    return new DmaDeviceInfo(
        DmaBench.DEVICE,
        "swiotlb-fixed",
        "swiotlb-fixed",
        ExtentKind.RAM,
        1,
        false,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        each + (reason.equals("tooBig") ? 1 : 0),
        each + (reason.equals("fragmented") ? 1 : 0),
        each + (reason.equals("full") ? 1 : 0),
        each + (reason.equals("mask") ? 1 : 0),
        each + (reason.equals("strategyErrors") ? 1 : 0),
        each + (reason.equals("throttled") ? 1 : 0),
        each + (reason.equals("noStrategy") ? 1 : 0),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0);
  }
}
