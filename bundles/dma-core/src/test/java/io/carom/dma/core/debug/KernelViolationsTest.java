package io.carom.dma.core.debug;

import static io.carom.dma.core.debug.DebugKit.at;
import static io.carom.dma.core.debug.DebugKit.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ScatterList;
import io.carom.dma.Violation;
import io.carom.dma.core.CoreKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each violation of the kernel's table, provoked alone, by its number. */
class KernelViolationsTest {
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

  private ScatterList list(final long... addresses) {
    final ScatterList list = new ScatterList(addresses.length + 1);
    for (final long address : addresses) {
      list.add(address, 4096);
    }
    return list;
  }

  @Test
  void k1UnmapOfTheErrorOfAMap() {
    final DmaDevice device = kit.bouncing();
    refused(() -> device.unmap(DmaDevice.MAPPING_ERROR, 4096, TO, 0));
    kit.assertOnly(
        Violation.FREE_INVALID_ADDRESS,
        "device driver tries to free an invalid DMA memory address");
  }

  @Test
  void k2UnmapTwice() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    device.unmap(bus, 4096, TO, 0);
    refused(() -> device.unmap(bus, 4096, TO, 0));
    kit.assertOnly(
        Violation.FREE_NOT_ALLOCATED,
        "device driver tries to free DMA memory it has not allocated" + at(bus, 4096));
  }

  @Test
  void k2UnmapTwiceInPlace() {
    final DmaDevice device = kit.direct();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    device.unmap(bus, 4096, FROM, 0);
    refused(() -> device.unmap(bus, 4096, FROM, 0));
    kit.assertOnly(
        Violation.FREE_NOT_ALLOCATED,
        "device driver tries to free DMA memory it has not allocated" + at(bus, 4096));
  }

  @Test
  void k3UnmapWithAnotherSize() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    refused(() -> device.unmap(bus, 4000, TO, 0));
    kit.assertOnly(
        Violation.FREE_SIZE,
        "device driver frees DMA memory with different size"
            + at(bus)
            + " [map size=4096 bytes] [unmap size=4000 bytes]");
    device.unmap(bus, 4096, TO, 0); // what was refused is mapped still, and known
    assertThat(kit.violations()).hasSize(1);
    assertThat(kit.debug.dump(null)).isEmpty();
  }

  @Test
  void k4SingleUnmappedAsList() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    final long bus = kit.map(device, buffer, 4096, TO);
    final ScatterList list = list(buffer);
    list.mapped(0, bus);
    device.unmapSg(list, TO, 0);
    kit.assertOnly(
        Violation.FREE_FUNCTION,
        "device driver frees DMA memory with wrong function"
            + at(bus, 4096)
            + " [mapped as single] [unmapped as scatter-gather]");
  }

  @Test
  void k4CoherentUnmappedAsSingle() {
    final DmaDevice device = kit.bouncing();
    final CoherentBuffer buffer = device.allocateCoherent(4096);
    refused(() -> device.unmap(buffer.busAddress(), 4096, BOTH, 0));
    kit.assertOnly(
        Violation.FREE_FUNCTION,
        "device driver frees DMA memory with wrong function"
            + at(buffer.busAddress(), 4096)
            + " [mapped as coherent] [unmapped as single]");
  }

  @Test
  void k5CoherentFreedWithAnotherCpuAddress() {
    final DmaDevice device = kit.bouncing();
    final CoherentBuffer buffer = device.allocateCoherent(4096);
    final CoherentBuffer other = device.allocateCoherent(4096);
    device.freeCoherent(new CoherentBuffer(buffer.busAddress(), other.memory()));
    kit.assertOnly(
        Violation.FREE_CPU_ADDRESS,
        "device driver frees DMA memory with different CPU address"
            + at(buffer.busAddress(), 4096)
            + " [cpu alloc address=0x"
            + hex(buffer.memory().address())
            + "] [cpu free address=0x"
            + hex(other.memory().address())
            + "]");
  }

  @Test
  void k6ListUnmappedWithAnotherEntryCount() {
    final DmaDevice device = kit.bouncing();
    final ScatterList list = list(kit.buffer(4096), kit.buffer(4096));
    assertThat(device.mapSg(list, TO, 0)).isEqualTo(2);
    final ScatterList shorter = list(list.address(0));
    shorter.mapped(0, list.busAddress(0));
    device.unmapSg(shorter, TO, 0);
    kit.assertOnly(
        Violation.FREE_SG_COUNT,
        "device driver frees DMA sg list with different entry count [map count=2] [unmap count=1]");
  }

  @Test
  void k7UnmapWithAnotherDirection() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    refused(() -> device.unmap(bus, 4096, TO, 0));
    kit.assertOnly(
        Violation.FREE_DIRECTION,
        "device driver frees DMA memory with different direction"
            + at(bus, 4096)
            + " [mapped with DMA_FROM_DEVICE] [unmapped with DMA_TO_DEVICE]");
  }

  @Test
  void k8MapErrorNotAskedFor() {
    final DmaDevice device = kit.bouncing();
    final long bus = device.map(kit.buffer(4096), 4096, TO, 0);
    device.unmap(bus, 4096, TO, 0);
    kit.assertOnly(
        Violation.MAP_ERROR_UNCHECKED,
        "device driver failed to check map error[device address=0x"
            + hex(bus)
            + "] [size=4096 bytes] [mapped as single]");
  }

  @Test
  void k9MapOfAStackCannotBeSaid() {
    // Stacks are the JVM's and no guest memory: no address of one can be given to map().
    assertThat(Violation.MAP_STACK.text()).isEqualTo("device driver maps memory from stack");
    final DmaDevice device = kit.bouncing();
    final long outside = kit.core.guest.ram().address(); // a host address
    assertThatIllegalArgumentException().isThrownBy(() -> device.map(outside, 64, TO, 0));
    assertThat(kit.violations()).containsExactly(Violation.MAP_INVALID_AREA);
  }

  @Test
  void k10MapOfBounceMemoryInUse() {
    final DmaDevice device = kit.bouncing();
    final long first = kit.map(device, kit.buffer(4096), 4096, TO);
    kit.map(device, first, 4096, TO); // a bus address for a physical one
    kit.assertOnly(
        Violation.MAP_KERNEL_TEXT,
        "device driver maps memory from kernel text or rodata [addr="
            + hex(first)
            + "] [len=4096]");
  }

  @Test
  void k11MapOfWhatIsNoRam() {
    final DmaDevice device = kit.bouncing();
    assertThatIllegalArgumentException().isThrownBy(() -> device.map(0xC000_0000L, 512, TO, 0));
    kit.assertOnly(
        Violation.MAP_INVALID_AREA,
        "device driver maps memory from invalid area [addr=00000000c0000000] [len=512]");
  }

  @Test
  void k11MapOfPageZero() {
    final DmaDevice device = kit.bouncing();
    kit.map(device, 16, 512, TO);
    kit.assertOnly(
        Violation.MAP_INVALID_AREA,
        "device driver maps memory from invalid area [addr=0000000000000010] [len=512]");
  }

  @Test
  void k12MapOfCoherentMemory() {
    final DmaDevice device = kit.bouncing();
    final CoherentBuffer buffer = device.allocateCoherent(4096);
    kit.map(device, buffer.busAddress(), 4096, TO);
    kit.assertOnly(
        Violation.MAP_VMALLOC,
        "device driver maps memory from vmalloc area [addr="
            + hex(buffer.busAddress())
            + "] [len=4096]");
  }

  @Test
  void k12MapOfADevicesRegion() {
    kit.core.regionDevice("other", 1024, false);
    final DmaDevice device = kit.bouncing();
    final long address = CoreKit.REGION + 0x40000;
    assertThatThrownBy(() -> device.map(address, 4096, TO, 0)).isInstanceOf(RuntimeException.class);
    kit.assertOnly(
        Violation.MAP_VMALLOC,
        "device driver maps memory from vmalloc area [addr=" + hex(address) + "] [len=4096]");
  }

  @Test
  void k13SyncOfWhatIsNotMapped() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    device.unmap(bus, 4096, FROM, 0);
    refused(() -> device.syncForCpu(bus, 64, FROM));
    kit.assertOnly(
        Violation.SYNC_NOT_ALLOCATED,
        "device driver tries to sync DMA memory it has not allocated" + at(bus, 64));
  }

  @Test
  void k14SyncPastTheEnd() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    refused(() -> device.syncForCpu(bus + 4000, 100, FROM));
    kit.assertOnly(
        Violation.SYNC_OUT_OF_RANGE,
        "device driver syncs DMA memory outside allocated range"
            + at(bus)
            + " [allocation size=4096 bytes] [sync offset+size=4100]");
  }

  @Test
  void k14SyncPastTheEndInPlace() {
    final DmaDevice device = kit.direct();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    refused(() -> device.syncForCpu(bus, 4097, FROM));
    kit.assertOnly(
        Violation.SYNC_OUT_OF_RANGE,
        "device driver syncs DMA memory outside allocated range"
            + at(bus)
            + " [allocation size=4096 bytes] [sync offset+size=4097]");
  }

  @Test
  void k15SyncWithAnotherDirection() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    refused(() -> device.syncForCpu(bus, 64, TO));
    kit.assertOnly(
        Violation.SYNC_DIRECTION,
        "device driver syncs DMA memory with different direction"
            + at(bus, 4096)
            + " [mapped with DMA_FROM_DEVICE] [synced with DMA_TO_DEVICE]");
  }

  @Test
  void k16SyncForCpuOfWhatTheDeviceOnlyReads() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, TO);
    refused(() -> device.syncForCpu(bus, 4096, FROM));
    // As in the kernel it comes with a wrong direction, never alone.
    assertThat(kit.violations())
        .containsExactly(Violation.SYNC_DIRECTION, Violation.SYNC_READ_ONLY);
    assertThat(kit.debug.errors().getLast().message())
        .isEqualTo(
            "DMA-API: virtio-pci 0000:00:04.0: device driver syncs device read-only DMA memory for"
                + " cpu"
                + at(bus, 4096)
                + " [mapped with DMA_TO_DEVICE] [synced with DMA_FROM_DEVICE]");
  }

  @Test
  void k17SyncForDeviceOfWhatTheDeviceOnlyWrites() {
    final DmaDevice device = kit.bouncing();
    final long bus = kit.map(device, kit.buffer(4096), 4096, FROM);
    refused(() -> device.syncForDevice(bus, 4096, BOTH));
    assertThat(kit.violations())
        .containsExactly(Violation.SYNC_DIRECTION, Violation.SYNC_WRITE_ONLY);
    assertThat(kit.debug.errors().getLast().message())
        .isEqualTo(
            "DMA-API: virtio-pci 0000:00:04.0: device driver syncs device write-only DMA memory to"
                + " device"
                + at(bus, 4096)
                + " [mapped with DMA_FROM_DEVICE] [synced with DMA_BIDIRECTIONAL]");
  }

  @Test
  void k18ListSyncedWithAnotherEntryCount() {
    final DmaDevice device = kit.bouncing();
    final ScatterList list = list(kit.buffer(4096), kit.buffer(4096));
    assertThat(device.mapSg(list, FROM, 0)).isEqualTo(2);
    final ScatterList shorter = list(list.address(1));
    shorter.mapped(0, list.busAddress(1));
    device.syncSgForCpu(shorter, FROM);
    kit.assertOnly(
        Violation.SYNC_SG_COUNT,
        "device driver syncs DMA sg list with different entry count [map count=2] [sync count=1]");
  }

  @Test
  void k19SegmentLongerThanTheDeviceTakes() {
    final DmaDevice device = kit.bouncing();
    device.maxSegmentSize(2048);
    final ScatterList list = list(kit.buffer(4096));
    assertThat(device.mapSg(list, TO, 0)).isEqualTo(1);
    kit.assertOnly(
        Violation.SG_SEGMENT_TOO_LONG,
        "mapping sg segment longer than device claims to support [len=4096] [max=2048]");
  }

  @Test
  void k20SegmentAcrossTheBoundary() {
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of("0000:00:04.0", null).withBoundaryMask(0xfff), "direct");
    final long buffer = kit.buffer(3 * 4096);
    final ScatterList list = new ScatterList(1);
    list.add(buffer, 8192);
    assertThat(device.mapSg(list, TO, 0)).isEqualTo(1);
    kit.assertOnly(
        Violation.SG_SEGMENT_BOUNDARY,
        "mapping sg segment across boundary [start=0x"
            + hex(buffer)
            + "] [end=0x"
            + hex(buffer + 8191)
            + "] [boundary=0x0000000000000fff]");
  }

  @Test
  void k21OverlappingMappings() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    kit.map(device, buffer, 100, FROM);
    kit.map(device, buffer + 120, 100, TO); // is only read: fine
    kit.assertNone();
    kit.map(device, buffer + 120, 8, BOTH); // no byte in common, but the line from 64 on
    kit.assertOnly(
        Violation.OVERLAP, "cacheline tracking EEXIST, overlapping mappings aren't supported");
  }

  @Test
  void k22MoreThanEightOverlappingMappings() {
    final DmaDevice device = kit.bouncing();
    final long buffer = kit.buffer(4096);
    for (int i = 0; i < 8; i++) {
      device.mappingError(device.map(buffer, 64, FROM, DmaAttributes.SKIP_CPU_SYNC));
    }
    kit.assertNone();
    device.mappingError(device.map(buffer, 64, FROM, DmaAttributes.SKIP_CPU_SYNC));
    device.mappingError(device.map(buffer, 64, FROM, DmaAttributes.SKIP_CPU_SYNC)); // once
    kit.assertOnly(
        Violation.OVERLAP_EXCEEDED,
        "exceeded 7 overlapping mappings of cacheline 0x" + hex(buffer >>> 6));
  }

  @Test
  void k23MappingsLeftBehind() {
    final DmaDevice device = kit.bouncing();
    final long first = kit.map(device, kit.buffer(4096), 4096, FROM);
    kit.map(device, kit.buffer(4096), 4096, FROM);
    device.close();
    kit.assertOnly(
        Violation.LEAK,
        "device driver has pending DMA allocations while released from device [count=2]\n"
            + "One of leaked entries details:"
            + at(first, 4096)
            + " [mapped with DMA_FROM_DEVICE] [mapped as single]");
    assertThat(kit.debug.errors().getFirst().mappedAt())
        .first()
        .asString()
        .contains("DebugKit.map");
    device.unmap(first, 4096, FROM, 0); // and can be given back still
    assertThat(kit.violations()).hasSize(1);
  }
}
