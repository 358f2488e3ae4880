package io.carom.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.QuarantineInfo;
import io.carom.dma.SwapPolicy;
import io.carom.dma.TransitionInfo;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.pci.PortCounters;
import java.util.List;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What each check says of what it sees. */
class JudgementTest {
  @Test
  void warnsOfASwapFromItsAgeOn() {
    assertThat(SwapAgeCheck.judge(List.of(), 10).getStatus()).isEqualTo(Status.OK);
    assertThat(SwapAgeCheck.judge(List.of(swap(9_999)), 10).getStatus()).isEqualTo(Status.OK);
    final Result late = SwapAgeCheck.judge(List.of(swap(1), swap(10_000)), 10);
    assertThat(late.getStatus()).isEqualTo(Status.WARN);
    assertThat(late.toString())
        .contains("swap of dev0 from swiotlb-fixed to direct")
        .contains("10");
  }

  @Test
  void refusesAnAgeThatMakesNoSense() {
    for (final int seconds : new int[] {0, -1, 86_401}) {
      final Result result = SwapAgeCheck.judge(List.of(), seconds);
      assertThat(result.getStatus()).isEqualTo(Status.HEALTH_CHECK_ERROR);
      assertThat(result.toString()).contains("olderThanS=" + seconds).contains("1..86400");
    }
    assertThat(PoolCheck.judge(List.of(), 101).getStatus()).isEqualTo(Status.HEALTH_CHECK_ERROR);
  }

  @Test
  void isCriticalWithQuarantinedExtents() {
    assertThat(QuarantineCheck.judge(List.of()).getStatus()).isEqualTo(Status.OK);
    final Result result =
        QuarantineCheck.judge(
            List.of(new QuarantineInfo("p@dev0", "s", 3, 786_432, 7, 61_000, "it hangs")));
    assertThat(result.getStatus()).isEqualTo(Status.CRITICAL);
    assertThat(result.toString()).contains("p@dev0").contains("768 KiB").contains("it hangs");
  }

  @Test
  void warnsOfAnActivePoolFromItsMarkOn() {
    assertThat(PoolCheck.judge(List.of(pool("ACTIVE", 79)), 80).getStatus()).isEqualTo(Status.OK);
    assertThat(PoolCheck.judge(List.of(pool("ACTIVE", 80)), 80).getStatus()).isEqualTo(Status.WARN);
    assertThat(PoolCheck.judge(List.of(pool("DRAINING", 99)), 80).getStatus()).isEqualTo(Status.OK);
  }

  @Test
  void isCriticalWithoutStrategyAndWarnsOfAnAbsentModel() {
    assertThat(DeviceCheck.judge(List.of(device("direct")), List.of(function(true))).getStatus())
        .isEqualTo(Status.OK);
    assertThat(DeviceCheck.judge(List.of(device(null)), List.of(function(true))).getStatus())
        .isEqualTo(Status.CRITICAL);
    assertThat(DeviceCheck.judge(List.of(device("direct")), List.of(function(false))).getStatus())
        .isEqualTo(Status.WARN);
    assertThat(DeviceCheck.judge(null, List.of()).getStatus()).isEqualTo(Status.WARN);
    assertThat(DeviceCheck.judge(List.of(), null).getStatus()).isEqualTo(Status.WARN);
  }

  private static TransitionInfo swap(final long ageMs) {
    return new TransitionInfo(
        "dev0",
        "swiotlb-fixed",
        ExtentKind.RAM,
        "direct",
        null,
        "DRAINING",
        3,
        ageMs,
        0,
        SwapPolicy.ADOPT,
        List.of(),
        1,
        2,
        "requested",
        List.of(new TransitionInfo.Age(1000, 3)));
  }

  private static PoolInfo pool(final String state, final long used) {
    return new PoolInfo("p", "s", ExtentKind.RAM, null, state, 100, used, used, 0, 1, 4096);
  }

  private static PciBus.Plugged function(final boolean present) {
    return new PciBus.Plugged(
        new PciAddress(0, 4, 0), "vda", new PortCounters(0, 0, 0, 0), present);
  }

  private static DmaDeviceInfo device(final @Nullable String strategy) {
    return new DmaDeviceInfo(
        "dev0", "direct", strategy, null, 1, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0,
        0, 0, 0, 0, 0, 0, 0);
  }
}
