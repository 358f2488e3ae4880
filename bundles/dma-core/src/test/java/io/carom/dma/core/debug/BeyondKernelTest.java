package io.carom.dma.core.debug;

import static io.carom.dma.core.debug.DebugKit.at;
import static io.carom.dma.core.debug.DebugKit.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ScatterList;
import io.carom.dma.Violation;
import io.carom.pci.BusAccess;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the kernel does not find. */
class BeyondKernelTest {
  private static final DmaDirection TO = DmaDirection.TO_DEVICE;
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;
  private static final DmaDirection BOTH = DmaDirection.BIDIRECTIONAL;

  private final DebugKit kit = new DebugKit();

  @AfterEach
  void close() {
    kit.close();
  }

  private static void refused(final Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(DmaUsageException.class);
  }

  private void write(final long address, final int value) {
    kit.core.guest.ram().set(ValueLayout.JAVA_BYTE, kit.core.guest.offset(address), (byte) value);
  }

  @Test
  void deviceAccessAfterUnmap() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    kit.access(bus, 4096, BusAccess.WRITE);
    kit.settle();
    device.unmap(bus, 4096, FROM, 0);
    kit.assertNone();
    kit.access(bus + 8, 16, BusAccess.WRITE);
    kit.assertOnly(
        Violation.DEVICE_ACCESS_UNMAPPED,
        "device accesses DMA memory that is not mapped" + at(bus + 8, 16) + " [access write]");
  }

  /** The queue that attributes name is a hint for the map alone. */
  @Test
  void queuesMayDifferBetweenMapAndUnmap() {
    final DmaDevice device = kit.bouncing();
    final long bus = device.map(kit.buffer(4096), 4096, FROM, DmaAttributes.queue(3));
    assertThat(device.mappingError(bus)).isFalse();
    device.unmap(bus, 4096, FROM, DmaAttributes.queue(4));
    kit.assertNone();
  }

  @Test
  void deviceAccessPastTheEnd() {
    final DmaDevice device = kit.direct();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    kit.access(bus, 4100, BusAccess.READ);
    kit.assertOnly(
        Violation.DEVICE_ACCESS_UNMAPPED,
        "device accesses DMA memory that is not mapped" + at(bus + 4096, 4) + " [access read]");
  }

  @Test
  void deviceAccessToFreedCoherentMemory() {
    final DmaDevice device = kit.bouncing();
    final CoherentBuffer ring = device.allocateCoherent(4096);
    kit.access(ring.busAddress(), 4096, BusAccess.WRITE);
    kit.settle();
    device.freeCoherent(ring);
    kit.assertNone();
    kit.access(ring.busAddress(), 1, BusAccess.READ);
    assertThat(kit.violations()).containsExactly(Violation.DEVICE_ACCESS_UNMAPPED);
  }

  @Test
  void deviceAccessAcrossTwoMappings() {
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(8192);
    kit.map(device, buffer, 4096, TO);
    kit.map(device, buffer + 4096, 4096, TO);
    kit.access(buffer, 8192, BusAccess.READ);
    kit.assertNone();
  }

  @Test
  void deviceWritesWhatItMayOnlyRead() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    kit.access(bus, 4096, BusAccess.READ);
    kit.assertNone();
    kit.access(bus + 100, 8, BusAccess.WRITE);
    kit.assertOnly(
        Violation.DEVICE_WRITES_READ_ONLY,
        "device writes DMA memory that was mapped DMA_TO_DEVICE" + at(bus + 100, 8));
  }

  @Test
  void unmapAtAnInteriorAddress() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    refused(() -> device.unmap(bus + 512, 4096, TO, 0));
    kit.assertOnly(
        Violation.FREE_INTERIOR,
        "device driver frees DMA memory at an address inside a mapping"
            + at(bus + 512, 4096)
            + " [map address=0x"
            + hex(bus)
            + "] [map size=4096 bytes]");
  }

  @Test
  void listSyncedAtAnInteriorAddress() {
    final DmaDevice device = kit.bouncing();
    final ScatterList list = new ScatterList(1);
    list.add(kit.buffer(4096), 4096);
    device.mapSg(list, FROM, 0);
    final long bus = list.busAddress(0);
    final ScatterList part = new ScatterList(1);
    part.add(list.address(0) + 512, 1024);
    part.mapped(0, bus + 512);
    device.syncSgForCpu(part, FROM);
    kit.assertOnly(
        Violation.SYNC_SG_INTERIOR,
        "device driver syncs a part of a DMA sg entry"
            + at(bus)
            + " [map size=4096 bytes] [sync offset=512] [sync size=1024 bytes]");
  }

  @Test
  void partOfASingleMappingMayBeSynced() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    device.syncForCpu(bus + 512, 100, FROM);
    device.syncForDevice(bus + 512, 100, FROM);
    device.unmap(bus, 4096, FROM, 0);
    kit.assertNone();
  }

  @Test
  void cpuTouchesABounceMappedBuffer() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, FROM);
    write(buffer + 5, 77);
    device.unmap(bus, 4096, FROM, 0);
    kit.assertOnly(
        Violation.CPU_TOUCH,
        "cpu touching an active dma mapped cacheline [cln=0x"
            + hex(buffer >>> 6)
            + "]"
            + at(bus, 4096));
  }

  @Test
  void cpuTouchesABufferInPlaceThatTheDeviceReads() {
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, TO);
    write(buffer + 4095, 77);
    device.unmap(bus, 4096, TO, 0);
    assertThat(kit.violations()).containsExactly(Violation.CPU_TOUCH);
  }

  @Test
  void cpuTouchesTheRestOfWhatWasSyncedInPart() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, BOTH);
    device.syncForCpu(bus + 1000, 100, BOTH);
    write(buffer + 1000, 7); // the CPU's
    write(buffer + 1099, 7);
    device.syncForCpu(bus + 2000, 10, BOTH);
    kit.assertNone();
    write(buffer + 1100, 7); // the device's
    device.unmap(bus, 4096, BOTH, 0);
    assertThat(kit.violations()).containsExactly(Violation.CPU_TOUCH);
  }

  @Test
  void cpuTouchesAfterSyncForDevice() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, TO);
    device.syncForCpu(bus, 4096, TO);
    write(buffer, 9);
    device.syncForDevice(bus, 4096, TO);
    kit.assertNone();
    write(buffer, 10);
    device.syncForCpu(bus, 4096, TO);
    assertThat(kit.violations()).containsExactly(Violation.CPU_TOUCH);
  }

  @Test
  void driverSaysThatItWritesWhatIsTheDevices() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, TO);
    device.cpuAccess(buffer, 64, false);
    kit.assertNone();
    device.cpuAccess(buffer + 128, 64, true);
    kit.assertOnly(
        Violation.CPU_TOUCH,
        "cpu touching an active dma mapped cacheline [cln=0x"
            + hex((buffer + 128) >>> 6)
            + "]"
            + at(bus, 4096));
  }

  @Test
  void readWithoutSyncForCpu() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, FROM);
    device.cpuAccess(buffer, 4096, false); // nothing written yet
    kit.access(bus + 64, 64, BusAccess.WRITE);
    kit.settle();
    device.cpuAccess(buffer, 64, false);
    device.syncForCpu(bus + 64, 32, FROM);
    device.cpuAccess(buffer + 64, 32, false);
    kit.assertNone();
    device.cpuAccess(buffer + 64, 64, false);
    kit.assertOnly(
        Violation.MISSING_SYNC,
        "device driver reads DMA memory without sync for cpu"
            + at(bus + 64, 64)
            + " [map size=4096 bytes]");
  }

  @Test
  void readWithoutSyncOfADeviceThatIsNotWatched() {
    kit.debug.ports(null);
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, FROM);
    device.syncForCpu(bus, 4096, FROM);
    device.cpuAccess(buffer, 64, false);
    kit.assertNone();
    device.syncForDevice(bus, 4096, FROM);
    device.cpuAccess(buffer, 64, false);
    assertThat(kit.violations()).containsExactly(Violation.MISSING_SYNC);
  }

  @Test
  void deviceWritesLessThanWasMapped() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    kit.access(bus, 1000, BusAccess.WRITE);
    kit.access(bus + 500, 1000, BusAccess.WRITE);
    kit.settle();
    device.unmap(bus, 4096, FROM, 0);
    kit.assertOnly(
        Violation.SHORT_WRITE,
        "device wrote less than was mapped DMA_FROM_DEVICE"
            + at(bus)
            + " [map size=4096 bytes] [written=1500 bytes]");
    final long again = kit.map(device, kit.buffer(4096), 4096, FROM);
    kit.access(again, 1, BusAccess.WRITE);
    kit.settle();
    device.unmap(again, 4096, FROM, 0);
    assertThat(kit.violations()).as("said once").hasSize(1);
  }

  @Test
  void neighboursOfABufferInPlace() {
    final DmaDevice device = kit.direct();
    final long buffer = kit.buffer(8192);
    kit.map(device, buffer, 4096, TO);
    kit.assertNone();
    kit.map(device, buffer + 4096, 512, TO);
    kit.map(device, buffer + 4608, 512, TO);
    kit.assertOnly(
        Violation.NEIGHBOURS_EXPOSED,
        "device driver maps in place a buffer that shares a page [addr="
            + hex(buffer + 4096)
            + "] [len=512]");
  }

  @Test
  void mapBeyondTheMask() {
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of("0000:00:04.0", null).withDmaMask(0xffff_ffffL), "direct");
    final long buffer = kit.buffer(4096); // high RAM
    final long bus = device.map(buffer, 4096, TO, 0);
    assertThat(device.mappingError(bus)).isTrue();
    kit.assertOnly(
        Violation.BEYOND_MASK,
        "device driver maps memory beyond the DMA mask" + at(buffer, 4096) + " [mask=0xffffffff]");
  }

  @Test
  void unmapInFlight() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    kit.access(bus + 64, 64, BusAccess.READ);
    device.unmap(bus, 4096, TO, 0);
    kit.assertOnly(
        Violation.FREE_IN_FLIGHT,
        "device driver frees DMA memory while the device accesses it" + at(bus, 4096));
  }

  @Test
  void listUsedAfterItsUnmap() {
    final DmaDevice device = kit.bouncing();
    final ScatterList list = new ScatterList(1);
    list.add(kit.buffer(4096), 4096);
    device.mapSg(list, FROM, 0);
    device.unmapSg(list, FROM, 0);
    kit.assertNone();
    refused(() -> device.syncSgForCpu(list, FROM));
    kit.assertOnly(
        Violation.STALE_SG_ADDRESS,
        "device driver uses a stale DMA sg address" + at(DmaDevice.MAPPING_ERROR));
  }

  @Test
  void listWithAnAddressThatIsAnothersNow() {
    final DmaDevice device = kit.bouncing();
    final ScatterList list = new ScatterList(1);
    list.add(kit.buffer(4096), 4096);
    device.mapSg(list, FROM, 0);
    final long stale = list.busAddress(0);
    device.unmapSg(list, FROM, 0);
    final ScatterList other = new ScatterList(1);
    other.add(kit.buffer(4096), 4096);
    device.mapSg(other, FROM, 0);
    assertThat(other.busAddress(0)).as("first fit gives the same").isEqualTo(stale);
    list.mapped(0, stale);
    device.unmapSg(list, FROM, 0); // the core cannot know
    kit.assertOnly(
        Violation.STALE_SG_ADDRESS, "device driver uses a stale DMA sg address" + at(stale));
  }
}
