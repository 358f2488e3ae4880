package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.SwapOptions;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Buffers that drivers hold in bounce memory, and MMIO: what maps in place. */
final class ReachableTest {
  private static final SwapOptions DEVICE = new SwapOptions(ExtentKind.DEVICE, null, null);

  private static CoreKit kit() {
    final CoreKit kit = new CoreKit();
    kit.add("slots", new SlotStrategy(1 << 20, 1), 1);
    kit.add("needing", new NeedingStrategy(), 2);
    return kit;
  }

  private static ReachableBuffer take(final DmaDevice device, final long size) {
    return Objects.requireNonNull(device.allocateReachable(size));
  }

  @Test
  void aMapOfAnyPartPassesWithoutACopy() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final ReachableBuffer buffer = take(device, 10_000);
      assertThat(buffer.memory().byteSize()).isEqualTo(10_000);
      assertThat(buffer.address() & 0xfff).isZero();
      buffer.memory().set(ValueLayout.JAVA_BYTE, 5_000, (byte) 42);
      final long bus = device.map(buffer.address() + 5_000, 100, DmaDirection.BIDIRECTIONAL, 0);
      assertThat(bus).isEqualTo(buffer.address() + 5_000);
      assertThat(kit.guest.get(bus)).isEqualTo(42);
      kit.guest.ram().set(ValueLayout.JAVA_BYTE, bus + 1, (byte) 43);
      device.syncForCpu(bus, 100, DmaDirection.BIDIRECTIONAL);
      device.syncForDevice(bus + 10, 20, DmaDirection.BIDIRECTIONAL);
      device.unmap(bus, 100, DmaDirection.BIDIRECTIONAL, 0);
      assertThat(buffer.memory().get(ValueLayout.JAVA_BYTE, 5_001)).isEqualTo((byte) 43);
      assertThat(kit.info(device).bounced()).isZero();
      assertThat(kit.info(device).maps()).isEqualTo(1);
      assertThat(kit.info(device).reachableBytes()).isEqualTo(12_288);
      device.freeReachable(buffer);
      assertThat(kit.info(device).reachableBytes()).isZero();
      assertThatThrownBy(() -> device.unmap(bus, 100, DmaDirection.BIDIRECTIONAL, 0))
          .isInstanceOf(DmaUsageException.class);
    }
  }

  @Test
  void aMapThatLeavesTheBufferIsBounced() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final ReachableBuffer buffer = take(device, 4096);
      final long bus = device.map(buffer.address() + 4000, 200, DmaDirection.TO_DEVICE, 0);
      assertThat(bus).isNotEqualTo(buffer.address() + 4000);
      assertThat(kit.info(device).bounced()).isEqualTo(1);
      device.unmap(bus, 200, DmaDirection.TO_DEVICE, 0);
      device.freeReachable(buffer);
    }
  }

  @Test
  void wrongUseIsSaidAndChangesNothing() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      final DmaDevice other = kit.device("other");
      kit.use(device, "needing");
      kit.use(other, "needing");
      final ReachableBuffer buffer = take(device, 4096);
      assertThatThrownBy(() -> other.freeReachable(buffer))
          .hasMessageContaining("not a reachable buffer of this device");
      final long bus = device.map(buffer.address(), 64, DmaDirection.TO_DEVICE, 0);
      assertThatThrownBy(() -> device.freeReachable(buffer)).hasMessageContaining("mapping");
      assertThatThrownBy(() -> device.unmap(bus, 65, DmaDirection.TO_DEVICE, 0))
          .hasMessageContaining("different size");
      assertThatThrownBy(() -> other.unmap(bus, 64, DmaDirection.TO_DEVICE, 0))
          .isInstanceOf(DmaUsageException.class);
      device.unmap(bus, 64, DmaDirection.TO_DEVICE, 0);
      device.freeReachable(buffer);
      assertThatThrownBy(() -> device.freeReachable(buffer)).isInstanceOf(DmaUsageException.class);
      assertThatThrownBy(() -> device.allocateReachable(0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theShareOfAPoolIsCapped() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "slots"); // 1 MiB of it: a quarter is 256 KiB
      final List<ReachableBuffer> held = new ArrayList<>();
      ReachableBuffer next;
      while ((next = device.allocateReachable(4096)) != null) {
        held.add(next);
      }
      assertThat(held).hasSize(64);
      device.freeReachable(held.getFirst());
      assertThat(device.allocateReachable(4096)).isNotNull();
    }
  }

  @Test
  void aSwapDoesNotWaitForIt() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.regionDevice("dev", 2048, false);
      kit.use(device, "slots", DEVICE);
      final ReachableBuffer buffer = take(device, 4096);
      assertThat(buffer.address()).isGreaterThanOrEqualTo(CoreKit.REGION);
      assertThat(kit.use(device, "direct").outcome()).isEqualTo("DRAINED");
      final long bus = device.map(buffer.address(), 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(bus).isEqualTo(buffer.address());
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(kit.use(device, "needing", DEVICE).outcome()).isEqualTo("DRAINED");
      // the first one still holds the buffer
      CoreKit.await(() -> kit.core.pools().size() == 2, "what came in between is gone");
      device.freeReachable(buffer);
      CoreKit.await(() -> kit.core.pools().size() == 1, "the first pool ends");
    }
  }

  @Test
  void aDeviceThatMayReachOnlyItsRegionBouncesWhatItHoldsInRam() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.regionDevice("dev", 2048, false);
      kit.use(device, "slots", new SwapOptions(ExtentKind.RAM, null, null));
      final ReachableBuffer buffer = take(device, 4096);
      device.negotiated(new Negotiation(true, true));
      final long bus = device.map(buffer.address(), 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(bus).isGreaterThanOrEqualTo(CoreKit.REGION);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      device.freeReachable(buffer);
    }
  }

  @Test
  void itStaysTheDriversWhenTheDeviceIsClosed() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long before = kit.guest.usedPages();
      final ReachableBuffer buffer = take(device, 4096);
      device.close();
      assertThat(kit.core.pools()).isNotEmpty();
      buffer.memory().fill((byte) 3);
      device.freeReachable(buffer);
      CoreKit.await(() -> kit.guest.usedPages() == before, "its pages are free again");
    }
  }

  @Test
  void mmioIsNeverBounced() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.regionDevice("dev", 2048, false);
      kit.use(device, "slots", DEVICE);
      final long doorbell = 0x90_0000_0000L;
      final long bus = device.map(doorbell, 64, DmaDirection.BIDIRECTIONAL, DmaAttributes.MMIO);
      assertThat(bus).isEqualTo(doorbell);
      device.unmap(bus, 64, DmaDirection.BIDIRECTIONAL, DmaAttributes.MMIO);
      assertThat(kit.info(device).bounced()).isZero();
      assertThatThrownBy(() -> device.map(4096, 64, DmaDirection.TO_DEVICE, DmaAttributes.MMIO))
          .hasMessageContaining("RAM, not MMIO");
      device.negotiated(new Negotiation(true, true));
      assertThat(device.map(doorbell, 64, DmaDirection.TO_DEVICE, DmaAttributes.MMIO))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
    }
  }

  @Test
  void mmioBeyondTheMaskFails() {
    try (CoreKit kit = kit()) {
      final DmaDevice device =
          kit.device(DmaDeviceSpec.of("dev", null).withDmaMask((1L << 32) - 1), Negotiation.NONE);
      assertThat(device.map(0x90_0000_0000L, 64, DmaDirection.TO_DEVICE, DmaAttributes.MMIO))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(kit.info(device).mask()).isEqualTo(1);
    }
  }
}
