package io.carom.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.spi.DmaStrategy;
import io.carom.guest.BlockDevice;
import java.util.Map;
import org.junit.Test;
import org.osgi.framework.FrameworkUtil;

/** A strategy that hangs costs time, and neither requests nor bytes. */
public class HungStrategyIT extends ContainerTest {
  private static final String SHIM = "io.carom.guest.shim";
  private static final String CORE = "io.carom.dma.core";

  @Test
  public void requestsThatHangAreTakenOverAndServedAfterASwap() throws Exception {
    configure(SHIM, Map.of("takeoverMs", 200));
    configure(CORE, Map.of("watchdogMs", 100L));
    final HungStrategy hung = new HungStrategy();
    final var service =
        context.registerService(
            DmaStrategy.class,
            hung,
            FrameworkUtil.asDictionary(Map.of(DmaStrategy.NAME, HungStrategy.NAME)));
    try {
      final Disk disk = kit.addDisk("hint", "--queues 2");
      kit.use(disk.name(), HungStrategy.NAME);
      final Load load = kit.load(disk, "--bs=4k --iodepth=32 --numjobs=2");
      load.awaitRequests(200);
      final BlockDevice device = guest.blockDevice(disk.name()).orElseThrow();
      assertThat(device.counters().takeovers()).isZero();

      hung.hang();
      Await.until("a call hangs", () -> hung.hanging() > 0);
      Await.until("its worker is replaced", () -> device.counters().takeovers() > 0);
      Await.until("its request is requeued", () -> device.counters().requeues() > 0);
      assertThat(GuestKit.text(kit.use(disk.name(), "swiotlb-device"), "to"))
          .isEqualTo("swiotlb-fixed");
      load.awaitRequests(200);
      assertThat(hung.hanging()).as("calls that hang still").isPositive();

      hung.letGo();
      Await.until("late calls have returned", () -> hung.hanging() == 0);
      load.awaitRequests(200);
      load.stop().assertIntact();
      assertThat(device.counters().errors()).isZero();
      Await.until("late mappings are undone", () -> info(disk).live() == 0);
      assertThat(device.counters().resets()).as("resets of the device").isZero();
    } finally {
      hung.letGo();
      service.unregister();
      unconfigure(CORE);
      unconfigure(SHIM);
    }
  }

  private DmaDeviceInfo info(final Disk disk) {
    return control.devices().stream()
        .filter(each -> each.device().equals(disk.address()))
        .findFirst()
        .orElseThrow();
  }
}
