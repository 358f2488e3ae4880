package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.Negotiation;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.TestGuest;
import io.carom.dma.core.swap.Settings;
import io.carom.memory.LazyMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rings of a device in a domain: in its own region, which no IOMMU translates, or in RAM. */
class DomainCoherentTest {
  private static final String NAME = "0000:00:04.0";
  private static final int RING = 16 << 10;

  private final TestGuest guest = TestGuest.plain();
  private final TestIommu iommu = new TestIommu(guest);
  private final CoreKit kit = new CoreKit(guest, Settings.DEFAULTS);

  DomainCoherentTest() {
    kit.core.iommu(iommu);
    kit.add("remaps", new LeasingStrategy(false), 1);
  }

  @AfterEach
  void close() {
    kit.close();
  }

  private DmaDevice device(final boolean hasRegion) {
    final DmaDeviceSpec.Region region =
        new DmaDeviceSpec.Region(CoreKit.REGION, LazyMemory.allocate(1 << 20), 256 << 10);
    return kit.device(
        DmaDeviceSpec.of(NAME, hasRegion ? region : null), new Negotiation(false, true));
  }

  @ParameterizedTest(name = "region {0}")
  @ValueSource(booleans = {false, true})
  void ringsGoBackWhetherTheyAreOlderThanTheDomainOrNot(final boolean hasRegion) {
    final DmaDevice device = device(hasRegion);
    final CoherentBuffer old = device.allocateCoherent(RING);
    kit.use(device, "remaps");
    final CoherentBuffer young = device.allocateCoherent(RING);
    if (hasRegion) {
      assertThat(old.busAddress()).isEqualTo(CoreKit.REGION);
      assertThat(young.busAddress()).isEqualTo(CoreKit.REGION + RING);
    } else {
      assertThat(iommu.translate(NAME, old.busAddress(), true)).isEqualTo(old.busAddress());
      assertThat(iommu.translate(NAME, young.busAddress(), true)).isEqualTo(young.busAddress());
    }
    device.freeCoherent(old);
    device.freeCoherent(young);
    assertThat(kit.info(device).coherentBytes()).isZero();
    assertThat(iommu.translate(NAME, young.busAddress(), true)).isEqualTo(-1);
    final CoherentBuffer again = device.allocateCoherent(RING);
    if (hasRegion) {
      assertThat(again.busAddress()).isEqualTo(CoreKit.REGION);
    }
    device.freeCoherent(again);
    device.close();
    assertThat(kit.core.devices()).isEmpty();
  }
}
