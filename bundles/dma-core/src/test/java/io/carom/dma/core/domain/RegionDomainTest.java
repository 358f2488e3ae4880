package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.CoreKit;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A device with a region of its own behind an IOMMU, which never translates accesses to it. */
class RegionDomainTest {
  private static final int SIZE = 16 << 10;
  private static final int KIB = 2048;

  private final CoreKit kit = new CoreKit();

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void coherentMemoryOfTheRegionNeverBecomesAnAddressOfTheDomain() {
    kit.core.iommu(new TestIommu(kit.guest));
    kit.add("remaps", new LeasingStrategy(false), 1);
    final DmaDevice device = kit.regionDevice("0000:00:04.0", KIB, false);
    final CoherentBuffer before = device.allocateCoherent(SIZE);
    kit.use(device, "remaps");
    final CoherentBuffer behind = device.allocateCoherent(SIZE);
    device.freeCoherent(before);
    device.freeCoherent(behind);

    final long first = device.map(1 << 20, SIZE, DmaDirection.TO_DEVICE, 0);
    final long second = device.map(2 << 20, SIZE, DmaDirection.TO_DEVICE, 0);
    assertThat(List.of(first, second))
        .as("a device's accesses to its region are not translated")
        .allMatch(a -> a < CoreKit.REGION || a >= CoreKit.REGION + ((long) KIB << 10));
    device.unmap(first, SIZE, DmaDirection.TO_DEVICE, 0);
    device.unmap(second, SIZE, DmaDirection.TO_DEVICE, 0);
  }
}
