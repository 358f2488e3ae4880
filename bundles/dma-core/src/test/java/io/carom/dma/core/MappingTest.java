package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.ScatterList;
import io.carom.dma.core.swap.Settings;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MappingTest {
  private static final int NO_ATTRIBUTES = DmaAttributes.NONE;

  private final CoreKit kit = new CoreKit();
  private final SlotStrategy slots = new SlotStrategy(2 << 20, 2);

  @AfterEach
  void close() {
    kit.close();
  }

  private DmaDevice bouncing() {
    kit.add("slots", slots, 1);
    return kit.device("dev");
  }

  /** Writes where the device sees a bounced buffer. */
  private void deviceWrites(final long bus, final int value) {
    kit.guest.ram().set(ValueLayout.JAVA_BYTE, kit.guest.offset(bus), (byte) value);
  }

  @Test
  void directPassesTheAddress() {
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(4096, 7);
    final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, NO_ATTRIBUTES);
    assertThat(bus).isEqualTo(buffer);
    assertThat(device.liveMappings()).isEqualTo(1);
    assertThat(device.needsSync()).isFalse();
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, NO_ATTRIBUTES);
    assertThat(device.liveMappings()).isZero();
  }

  @Test
  void directCountsEqualMappings() {
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(4096, 7);
    for (int i = 0; i < 3; i++) {
      device.map(buffer, 4096, DmaDirection.TO_DEVICE, NO_ATTRIBUTES);
    }
    assertThat(kit.core.mappings("dev")).hasSize(1);
    assertThat(kit.core.mappings("dev").getFirst().count()).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      device.unmap(buffer, 4096, DmaDirection.TO_DEVICE, NO_ATTRIBUTES);
    }
    assertThatThrownBy(() -> device.unmap(buffer, 4096, DmaDirection.TO_DEVICE, NO_ATTRIBUTES))
        .isInstanceOf(DmaUsageException.class);
  }

  @ParameterizedTest
  @EnumSource(DmaDirection.class)
  void bounceCopiesInWhateverTheDirection(final DmaDirection direction) {
    final DmaDevice device = bouncing();
    final long buffer = kit.guest.buffer(4096, 0x5a);
    final long bus = device.map(buffer, 4096, direction, DmaAttributes.SKIP_CPU_SYNC);
    assertThat(bus).isNotEqualTo(buffer).isLessThan(1L << 32);
    assertThat(kit.guest.get(bus)).isEqualTo(0x5a);
    assertThat(kit.guest.get(bus + 4095)).isEqualTo(0x5a);
    device.unmap(bus, 4096, direction, NO_ATTRIBUTES);
  }

  @ParameterizedTest
  @EnumSource(DmaDirection.class)
  void unmapCopiesBackWhatTheDeviceMayHaveWritten(final DmaDirection direction) {
    final DmaDevice device = bouncing();
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, direction, NO_ATTRIBUTES);
    deviceWrites(bus, 0x77); // one byte of 4096: the rest must stay
    device.unmap(bus, 4096, direction, NO_ATTRIBUTES);
    assertThat(kit.guest.get(buffer)).isEqualTo(direction == DmaDirection.TO_DEVICE ? 1 : 0x77);
    assertThat(kit.guest.get(buffer + 1)).isEqualTo(1);
  }

  /** The queue is a hint of the map: who unmaps may name another one, or none. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theQueueIsNoPartOfAMapping(final boolean bounced) {
    final DmaDevice device = bounced ? bouncing() : kit.device("dev");
    final long buffer = kit.guest.buffer(4096, 1);
    final int[] unmapped = {
      NO_ATTRIBUTES, DmaAttributes.queue(0), DmaAttributes.queue(2046), DmaAttributes.queue(2047)
    };
    for (final int attributes : unmapped) {
      final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, DmaAttributes.queue(7));
      assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, attributes);
    }
    assertThat(kit.core.mappings("dev")).isEmpty();
    assertThat(DmaAttributes.queueOf(DmaAttributes.queue(2046) | DmaAttributes.MAY_SLEEP))
        .isEqualTo(2046);
    assertThat(DmaAttributes.queueOf(NO_ATTRIBUTES)).isEqualTo(-1);
  }

  @Test
  void skipCpuSyncLeavesTheBuffer() {
    final DmaDevice device = bouncing();
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, NO_ATTRIBUTES);
    deviceWrites(bus, 0x77);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, DmaAttributes.SKIP_CPU_SYNC);
    assertThat(kit.guest.get(buffer)).isEqualTo(1);
  }

  @Test
  void syncMovesExactlyTheRange() {
    final DmaDevice device = bouncing();
    final long buffer = kit.guest.buffer(9000, 1);
    final long bus = device.map(buffer + 100, 8192, DmaDirection.BIDIRECTIONAL, NO_ATTRIBUTES);
    for (int i = 0; i < 8192; i++) {
      deviceWrites(bus + i, 2);
    }
    device.syncForCpu(bus + 3000, 128, DmaDirection.BIDIRECTIONAL);
    for (int i = 0; i < 8192; i++) {
      final boolean inside = i >= 3000 && i < 3128;
      assertThat(kit.guest.get(buffer + 100 + i)).as("byte %d", i).isEqualTo(inside ? 2 : 1);
    }
    kit.guest.segment(buffer + 100, 8192).fill((byte) 3);
    device.syncForDevice(bus + 5000, 1, DmaDirection.BIDIRECTIONAL);
    assertThat(kit.guest.get(bus + 4999)).isEqualTo(2);
    assertThat(kit.guest.get(bus + 5000)).isEqualTo(3);
    assertThat(kit.guest.get(bus + 5001)).isEqualTo(2);
    device.unmap(bus, 8192, DmaDirection.BIDIRECTIONAL, DmaAttributes.SKIP_CPU_SYNC);
  }

  @Test
  void syncForDeviceOfFromDeviceIsNoOperation() {
    final DmaDevice device = bouncing();
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, NO_ATTRIBUTES);
    deviceWrites(bus, 9);
    device.syncForDevice(bus, 4096, DmaDirection.FROM_DEVICE);
    assertThat(kit.guest.get(bus)).isEqualTo(9);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, NO_ATTRIBUTES);
  }

  @Test
  void wrongUseIsSaidAndChangesNothing() {
    final DmaDevice device = bouncing();
    final DmaDevice other = kit.device("other");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4000, DmaDirection.TO_DEVICE, NO_ATTRIBUTES);
    assertThatThrownBy(() -> device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0))
        .isInstanceOf(DmaUsageException.class)
        .hasMessageContaining("dev: device driver frees DMA memory with different size")
        .hasMessageContaining("[map size=4000 bytes] [unmap size=4096 bytes]");
    assertThatThrownBy(() -> device.unmap(bus, 4000, DmaDirection.FROM_DEVICE, 0))
        .hasMessageContaining(
            "different direction [mapped with TO_DEVICE] [unmapped with FROM_DEVICE]");
    assertThatThrownBy(() -> device.unmap(bus + 1, 4000, DmaDirection.TO_DEVICE, 0))
        .hasMessageContaining("tries to free DMA memory it has not allocated");
    assertThatThrownBy(() -> other.unmap(bus, 4000, DmaDirection.TO_DEVICE, 0))
        .hasMessageContaining("other: device driver tries to free DMA memory");
    assertThatThrownBy(() -> device.syncForCpu(bus + 3999, 2, DmaDirection.TO_DEVICE))
        .hasMessageContaining("syncs DMA memory outside allocated range");
    assertThatThrownBy(() -> device.syncForCpu(bus, 4000, DmaDirection.FROM_DEVICE))
        .hasMessageContaining("syncs DMA memory with different direction");
    assertThatThrownBy(() -> device.syncForCpu(bus + 4096, 1, DmaDirection.TO_DEVICE))
        .hasMessageContaining("tries to sync DMA memory it has not allocated");
    device.unmap(bus, 4000, DmaDirection.TO_DEVICE, 0);
    assertThatThrownBy(() -> device.unmap(bus, 4000, DmaDirection.TO_DEVICE, 0))
        .hasMessageContaining("tries to free DMA memory it has not allocated");
    assertThatThrownBy(() -> device.syncForCpu(bus, 1, DmaDirection.TO_DEVICE))
        .hasMessageContaining("tries to sync DMA memory it has not allocated");
    assertThat(kit.core.pools().getFirst().io_tlb_used()).isZero();
  }

  @Test
  void wrongUseOfDirectIsSaid() {
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(8192, 1);
    final long bus = device.map(buffer, 8192, DmaDirection.TO_DEVICE, 0);
    assertThatThrownBy(() -> device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0))
        .hasMessageContaining("different size");
    assertThatThrownBy(() -> device.unmap(bus, 8192, DmaDirection.FROM_DEVICE, 0))
        .hasMessageContaining("different direction");
    device.syncForCpu(bus + 5000, 100, DmaDirection.TO_DEVICE);
    assertThatThrownBy(() -> device.syncForCpu(bus + 5000, 4000, DmaDirection.TO_DEVICE))
        .isInstanceOf(DmaUsageException.class);
    device.unmap(bus, 8192, DmaDirection.TO_DEVICE, 0);
    assertThatThrownBy(() -> device.unmap(bus, 8192, DmaDirection.TO_DEVICE, 0))
        .hasMessageContaining("has not allocated");
  }

  @Test
  void buffersThatAreNotRamAreRefused() {
    final DmaDevice device = kit.device("dev");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.map(0xc000_0000L, 1, DmaDirection.TO_DEVICE, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.map(4096, 0, DmaDirection.TO_DEVICE, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.map(4096, -1, DmaDirection.TO_DEVICE, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> device.map(4096, Long.MAX_VALUE, DmaDirection.TO_DEVICE, 0));
  }

  @Test
  void fullPoolFailsAndCountsWhy() {
    kit.add("slots", new SlotStrategy(512 << 10, 1), 1);
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(1 << 20, 1);
    final long a = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    final long b = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    assertThat(device.map(buffer, 1, DmaDirection.TO_DEVICE, 0)).isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(device.map(buffer, 1 << 20, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(device).full()).isEqualTo(1);
    assertThat(kit.info(device).tooBig()).isEqualTo(1);
    assertThat(kit.info(device).failedMaps()).isEqualTo(2);
    device.unmap(a, 256 << 10, DmaDirection.TO_DEVICE, 0);
    device.unmap(b, 256 << 10, DmaDirection.TO_DEVICE, 0);
    assertThat(kit.info(device).live()).isZero();
  }

  @Test
  void maskBelowThePoolFailsAndReleases() {
    kit.add("slots", slots, 1);
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of("dev", null).withDmaMask(0xfff), Negotiation.NONE);
    final long buffer = kit.guest.buffer(4096, 1);
    assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(device).mask()).isEqualTo(1);
    assertThat(slots.instances.getFirst().usedSlots()).isZero();
    assertThat(kit.core.pools().getFirst().io_tlb_used()).isZero();
  }

  @Test
  void scatterListMapsAllOrNothing() {
    kit.add("slots", new SlotStrategy(512 << 10, 1), 1);
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(1 << 20, 6);
    final ScatterList list = new ScatterList(4);
    list.add(buffer, 200 << 10);
    list.add(buffer + 4096, 200 << 10);
    assertThat(device.mapSg(list, DmaDirection.BIDIRECTIONAL, 0)).isEqualTo(2);
    assertThat(kit.guest.get(list.busAddress(1))).isEqualTo(6);
    device.unmapSg(list, DmaDirection.BIDIRECTIONAL, 0);
    list.add(buffer, 200 << 10);
    assertThat(device.mapSg(list, DmaDirection.BIDIRECTIONAL, 0)).isZero();
    assertThat(device.liveMappings()).isZero();
  }

  @Test
  void coherentMemoryOfARegionComesFromItsReserve() {
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    final CoherentBuffer a = device.allocateCoherent(5000);
    final CoherentBuffer b = device.allocateCoherent(4096);
    assertThat(a.busAddress()).isEqualTo(CoreKit.REGION);
    assertThat(b.busAddress()).isEqualTo(CoreKit.REGION + 8192);
    a.memory().fill((byte) 1);
    device.freeCoherent(a);
    assertThatThrownBy(() -> device.freeCoherent(a)).isInstanceOf(DmaUsageException.class);
    assertThat(device.allocateCoherent(4096).memory().get(ValueLayout.JAVA_BYTE, 0)).isZero();
    final CoherentBuffer big = device.allocateCoherent(300 << 10);
    assertThat(big.busAddress()).isEqualTo(CoreKit.REGION + (256 << 10));
    assertThatThrownBy(() -> device.allocateCoherent(300 << 10))
        .isInstanceOf(DmaMemoryException.class)
        .hasMessageContaining("raise regionBytes");
    device.freeCoherent(big);
    assertThat(device.allocateCoherent(300 << 10).size()).isEqualTo(300 << 10);
  }

  @Test
  void coherentMemoryWithoutRegionObeysTheMask() {
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of("dev", null).withDmaMask(0xffff_ffffL), Negotiation.NONE);
    final CoherentBuffer a = device.allocateCoherent(4096);
    assertThat(a.busAddress()).isLessThan(1L << 32);
    final long used = kit.guest.usedPages();
    device.freeCoherent(a);
    assertThat(kit.guest.usedPages()).isEqualTo(used - 1);
  }

  @Test
  void confidentialGuestSharesPoolsNotBuffers() {
    try (CoreKit secret = new CoreKit(new TestGuest(32, 32, true), Settings.DEFAULTS)) {
      final SlotStrategy strategy = new SlotStrategy(1 << 20, 1);
      secret.add("slots", strategy, 1);
      final DmaDevice device = secret.device("dev");
      assertThat(secret.guest.pageStateCounters().shareCalls()).isEqualTo(4);
      final long buffer = secret.guest.buffer(4096, 3);
      final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(secret.guest.shared(bus)).isTrue();
      assertThat(secret.guest.shared(buffer)).isFalse();
      assertThat(secret.guest.pageStateCounters().shareCalls()).isEqualTo(4);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> secret.use(device, "direct"))
          .withMessageContaining("confidential");
    }
  }

  @Test
  void withoutStrategyMapsFailAndAreCountedApart() {
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    final long buffer = kit.guest.buffer(4096, 3);
    assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(device).noStrategyMaps()).isEqualTo(1);
    assertThat(kit.info(device).failedMaps()).isZero();
    kit.add("slots", slots, 1);
    CoreKit.await(() -> kit.info(device).strategy() != null, "the strategy arrives");
    final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(bus).isGreaterThanOrEqualTo(CoreKit.REGION + (256 << 10));
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
  }
}
