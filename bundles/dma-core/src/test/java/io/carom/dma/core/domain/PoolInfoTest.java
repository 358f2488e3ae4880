package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.core.CoreKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people see of a pool that gives pages back while they look. */
@Timeout(60)
class PoolInfoTest {
  private static final int SIZE = 4096;

  private final CoreKit kit = new CoreKit();
  private final LeasingStrategy strategy = new LeasingStrategy(true);

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void usesNoMoreSlotsThanItHas() {
    kit.core.iommu(new TestIommu(kit.guest));
    kit.add("bounces", strategy, 1);
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of("0000:00:04.0", null), new Negotiation(false, true));
    kit.use(device, "bounces");
    strategy.givesBack = true;
    PoolInfo seen;
    do { // again when it was the core's tick that counted
      final long bus = device.map(1 << 20, SIZE, DmaDirection.TO_DEVICE, 0);
      strategy.counted =
          () -> {
            strategy.counted = () -> {};
            device.unmap(bus, SIZE, DmaDirection.TO_DEVICE, 0);
          };
      seen = kit.core.pools().getFirst();
      assertThat(seen.io_tlb_used()).isLessThanOrEqualTo(seen.io_tlb_nslabs());
    } while (seen.io_tlb_used() == 0);
    CoreKit.await(() -> device.liveMappings() == 0, "whoever counted has unmapped");
  }
}
