package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.swap.Settings;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which maintenance the core asks its platform for: no more, no less. */
class PlatformTest {
  private static final DmaDirection BOTH = DmaDirection.BIDIRECTIONAL;

  private final TestGuest guest = TestGuest.plain();
  private final ShadowPlatform platform = new ShadowPlatform(guest);
  private final CoreKit kit;
  private final DmaDevice device;

  PlatformTest() {
    guest.platform(platform);
    kit = new CoreKit(guest, Settings.DEFAULTS);
    kit.add("slots", new SlotStrategy(1 << 20, 1), 1);
    device = kit.device("dev");
  }

  @AfterEach
  void close() {
    kit.close();
  }

  @Test
  void aBufferThatIsPassedIsMaintainedByItsDirection() {
    kit.use(device, "direct");
    final long buffer = guest.buffer(4096, 3);
    final String at = Long.toHexString(buffer);
    platform.newCalls();
    for (final DmaDirection direction : DmaDirection.values()) {
      final long bus = device.map(buffer, 256, direction, 0);
      final String does = (direction.toDevice() ? " r" : "") + (direction.fromDevice() ? " w" : "");
      final String did = direction.fromDevice() ? " w" : "";
      assertThat(platform.newCalls()).containsExactly("device " + at + "+256" + does);
      device.syncForCpu(bus, 64, direction);
      assertThat(platform.newCalls()).containsExactly("cpu " + at + "+64" + did);
      device.syncForDevice(bus, 64, direction);
      assertThat(platform.newCalls()).containsExactly("device " + at + "+64" + does);
      device.unmap(bus, 256, direction, 0);
      assertThat(platform.newCalls()).containsExactly("cpu " + at + "+256" + did);
    }
  }

  @Test
  void whoSkipsTheSyncGetsNone() {
    kit.use(device, "direct");
    final long buffer = guest.buffer(4096, 3);
    platform.newCalls();
    final long bus = device.map(buffer, 256, BOTH, DmaAttributes.SKIP_CPU_SYNC);
    assertThat(platform.newCalls()).isEmpty();
    device.unmap(bus, 256, BOTH, DmaAttributes.SKIP_CPU_SYNC);
    assertThat(platform.newCalls())
        .as("it is the CPU's again, and the device wrote nothing as far as it is told")
        .containsExactly("cpu " + Long.toHexString(buffer) + "+256");
  }

  @Test
  void aDevicesMemoryIsNotThePlatforms() {
    kit.use(device, "direct");
    platform.newCalls();
    final long bus =
        device.map(PhysicalLayout.MMIO64_BASE + 0x4000, 4096, BOTH, DmaAttributes.MMIO);
    assertThat(bus).isEqualTo(PhysicalLayout.MMIO64_BASE + 0x4000);
    device.unmap(bus, 4096, BOTH, DmaAttributes.MMIO);
    assertThat(platform.newCalls()).isEmpty();
  }

  @Test
  void bounceMemoryIsUsedPastTheCaches() {
    kit.use(device, "slots");
    final long buffer = guest.buffer(4096, 3);
    platform.newCalls();
    final long bus = device.map(buffer, 256, BOTH, 0);
    assertThat(bus).isNotEqualTo(buffer);
    assertThat(image(bus)).isEqualTo(3);
    platform.uncached().set(ValueLayout.JAVA_BYTE, guest.offset(bus), (byte) 7);
    device.syncForCpu(bus, 256, BOTH);
    assertThat(guest.get(buffer)).isEqualTo(7);
    device.unmap(bus, 256, BOTH, 0);
    assertThat(platform.newCalls()).as("of the buffer or its bounce").isEmpty();
  }

  @Test
  void extentsArePreparedAndRestored() {
    kit.use(device, "slots");
    final long prepared =
        platform.newCalls().stream().filter(call -> call.startsWith("device")).count();
    assertThat(prepared).isEqualTo(4); // of 256 KiB each
    kit.use(device, "direct");
    CoreKit.await(() -> guest.usedPages() == 1, "all extents are given back");
    assertThat(platform.newCalls().stream().filter(call -> call.startsWith("cpu")).count())
        .isEqualTo(prepared);
  }

  private int image(final long address) {
    return platform.uncached().get(ValueLayout.JAVA_BYTE, guest.offset(address)) & 0xff;
  }
}
