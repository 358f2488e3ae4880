package io.carom.dma.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.ScatterList;
import io.carom.dma.core.CoreKit;
import io.carom.dma.core.ShadowPlatform;
import io.carom.dma.core.TestGuest;
import io.carom.dma.core.swap.Settings;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Buffers behind an IOMMU whose devices are not coherent. */
class DomainPlatformTest {
  private static final String NAME = "0000:00:04.0";
  private static final DmaDirection BOTH = DmaDirection.BIDIRECTIONAL;

  private final TestGuest guest = TestGuest.plain();
  private final TestIommu iommu = new TestIommu(guest);
  private final CoreKit kit;
  private final DmaDevice device;

  DomainPlatformTest() {
    guest.platform(new ShadowPlatform(guest));
    kit = new CoreKit(guest, Settings.DEFAULTS);
    kit.core.iommu(iommu);
    kit.add("remaps", new LeasingStrategy(false), 1);
    kit.add("bounces", new LeasingStrategy(true), 2);
    device = kit.device(DmaDeviceSpec.of(NAME, null), new Negotiation(false, true));
  }

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void aRemappedBufferIsMaintainedWhereItLies() {
    carries("remaps");
    carriesAList("remaps");
  }

  @Test
  void aBufferBouncedInTheDomainNeedsNoMaintenance() {
    carries("bounces");
    carriesAList("bounces");
  }

  @Test
  void coherentMemoryInADomainIsSeenAtOnce() {
    kit.use(device, "remaps");
    final CoherentBuffer ring = device.allocateCoherent(4096);
    ring.memory().fill((byte) 5);
    assertThat(iommu.read(NAME, ring.busAddress())).isEqualTo(5);
    assertThat(iommu.write(NAME, ring.busAddress(), 6)).isTrue();
    assertThat(ring.memory().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 6);
    device.freeCoherent(ring);
  }

  private void carries(final String strategy) {
    kit.use(device, strategy);
    final long buffer = guest.buffer(8192, 3);
    final long bus = device.map(buffer, 8192, BOTH, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR).isNotEqualTo(buffer);
    assertThat(iommu.read(NAME, bus + 8191)).isEqualTo(3);
    assertThat(iommu.write(NAME, bus + 5000, 9)).isTrue();
    assertThat(guest.get(buffer + 5000)).as("without a sync").isEqualTo(3);
    device.syncForCpu(bus + 4096, 4096, BOTH);
    assertThat(guest.get(buffer + 5000)).isEqualTo(9);
    guest.segment(buffer, 1).fill((byte) 4);
    assertThat(iommu.read(NAME, bus)).as("without a sync").isEqualTo(3);
    device.syncForDevice(bus, 64, BOTH);
    assertThat(iommu.read(NAME, bus)).isEqualTo(4);
    assertThat(iommu.write(NAME, bus + 1, 8)).isTrue();
    device.unmap(bus, 8192, BOTH, 0);
    assertThat(guest.get(buffer + 1)).isEqualTo(8);
  }

  private void carriesAList(final String strategy) {
    kit.use(device, strategy);
    final ScatterList list = new ScatterList(2);
    final long first = guest.buffer(4096, 1);
    final long second = guest.buffer(4096, 2);
    list.add(first, 4096);
    list.add(second, 4096);
    assertThat(device.mapSg(list, BOTH, 0)).isPositive();
    final long bus = list.busAddress(0);
    assertThat(iommu.read(NAME, bus)).isEqualTo(1);
    assertThat(iommu.read(NAME, bus + 4096)).isEqualTo(2);
    assertThat(iommu.write(NAME, bus + 4096, 7)).isTrue();
    device.syncSgForCpu(list, BOTH);
    assertThat(guest.get(second)).isEqualTo(7);
    guest.segment(first, 4096).fill((byte) 6);
    device.syncSgForDevice(list, BOTH);
    assertThat(iommu.read(NAME, bus)).isEqualTo(6);
    assertThat(iommu.write(NAME, bus, 5)).isTrue();
    device.unmapSg(list, BOTH, 0);
    assertThat(guest.get(first)).isEqualTo(5);
  }
}
