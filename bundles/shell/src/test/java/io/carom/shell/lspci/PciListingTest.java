package io.carom.shell.lspci;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.PciDeviceInfo;
import io.carom.shell.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciListingTest {
  private static String text(final int verbosity, final boolean hex, final PciDeviceInfo... all) {
    return new PciListing(List.of(all), verbosity, hex).text();
  }

  @Test
  void isOneLineEach() {
    assertThat(text(0, false, SampleConfig.bridge(), SampleConfig.block(), SampleConfig.stranger()))
        .isEqualTo(
            """
            00:00.0 Host bridge: Red Hat, Inc. QEMU PCIe Host bridge
            00:04.0 SCSI storage controller: Red Hat, Inc. Virtio 1.0 block device (rev 01)
            00:1f.7 Class 12ff: Device 1234:5678
            """);
  }

  @Test
  void knowsAnIommuByName() {
    assertThat(PciNames.deviceClass(0x0806)).isEqualTo("IOMMU");
    assertThat(PciNames.vendorAndDevice(0x1af4, 0x1057))
        .isEqualTo("Red Hat, Inc. Virtio 1.0 IOMMU");
  }

  @Test
  void isVerbose() {
    assertThat(text(1, false, SampleConfig.block()))
        .isEqualTo(
            """
            00:04.0 SCSI storage controller: Red Hat, Inc. Virtio 1.0 block device (rev 01)
            \tSubsystem: Red Hat, Inc. Device 1100
            \tFlags: bus master, fast devsel, latency 0, IRQ 11
            \tMemory at c0000000 (32-bit, non-prefetchable) [size=4K]
            \tMemory at 8000000000 (64-bit, prefetchable) [size=16M]
            \tCapabilities: [40] Vendor Specific Information: VirtIO: Notify
            \tCapabilities: [54] Vendor Specific Information: VirtIO: SWIOTLB
            \tCapabilities: [64] MSI-X: Enable+ Count=4 Masked-
            \tKernel driver in use: virtio-pci

            """);
  }

  @Test
  void isVeryVerboseAndDumps() {
    assertThat(text(2, true, SampleConfig.block()))
        .isEqualTo(
            """
            00:04.0 SCSI storage controller: Red Hat, Inc. Virtio 1.0 block device (rev 01)
            \tSubsystem: Red Hat, Inc. Device 1100
            \tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- \
            SERR- FastB2B- DisINTx+
            \tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- \
            >SERR- <PERR- INTx-
            \tLatency: 0
            \tInterrupt: pin A routed to IRQ 11
            \tRegion 1: Memory at c0000000 (32-bit, non-prefetchable) [size=4K]
            \tRegion 2: Memory at 8000000000 (64-bit, prefetchable) [size=16M]
            \tCapabilities: [40] Vendor Specific Information: VirtIO: Notify
            \t\tBAR=4 offset=00003000 size=00000004 multiplier=00000004
            \tCapabilities: [54] Vendor Specific Information: VirtIO: SWIOTLB
            \t\tBAR=2 offset=00000000 size=01000000
            \tCapabilities: [64] MSI-X: Enable+ Count=4 Masked-
            \t\tVector table: BAR=1 offset=00000000
            \t\tPBA: BAR=1 offset=00000800
            \tKernel driver in use: virtio-pci
            00: f4 1a 42 10 06 04 10 00 01 00 00 01 00 00 00 00
            10: 00 00 00 00 00 00 00 c0 0c 00 00 00 80 00 00 00
            20: 00 00 00 00 00 00 00 00 00 00 00 00 f4 1a 00 11
            30: 00 00 00 00 40 00 00 00 00 00 00 00 0b 01 00 00

            """);
  }

  @Test
  void saysWhatIsOff() {
    final PciDeviceInfo on = SampleConfig.block();
    final byte[] config = on.config();
    SampleConfig.put(config, 0x04, "0000");
    SampleConfig.put(config, 0x66, "0340");
    final PciDeviceInfo off = new PciDeviceInfo("00:04.0", config, on.bars(), null, 0);
    assertThat(text(1, false, off))
        .contains("Flags: fast devsel, IRQ 11\n")
        .contains("Memory at c0000000 (32-bit, non-prefetchable) [disabled] [size=4K]")
        .contains("MSI-X: Enable- Count=4 Masked+")
        .doesNotContain("Kernel driver");
  }

  @Test
  void endsWhereAChainLoops() {
    final PciDeviceInfo sound = SampleConfig.block();
    final byte[] config = sound.config();
    SampleConfig.put(config, 0x65, "40");
    final PciDeviceInfo looped = new PciDeviceInfo("00:04.0", config, sound.bars(), null, 0);
    assertThat(text(1, false, looped).lines().filter(line -> line.contains("Capabilities")))
        .hasSize(3);
  }

  @Test
  void staysWithinConfigSpace() {
    final PciDeviceInfo sound = SampleConfig.block();
    final byte[] config = sound.config();
    // a broken device: MSI-X and a virtio structure at the very end
    SampleConfig.put(config, 0x34, "fc");
    SampleConfig.put(config, 0xfc, "11 f8");
    SampleConfig.put(config, 0xf8, "09 00");
    final PciDeviceInfo broken = new PciDeviceInfo("00:04.0", config, sound.bars(), null, 0);
    assertThat(text(2, true, broken)).contains("Capabilities: [fc]", "Capabilities: [f8]");
  }

  @Test
  void isJson() {
    assertThat(Json.document(new PciListing(List.of(SampleConfig.block()), 2, true)).text())
        .startsWith(
            "{\"functions\":[{\"address\":\"00:04.0\",\"name\":\"SCSI storage controller: Red Hat,"
                + " Inc. Virtio 1.0 block device\",\"vendorId\":\"0x1af4\",\"deviceId\":\"0x1042\","
                + "\"classCode\":\"0x010000\",\"revision\":1,\"driver\":\"virtio-pci\"")
        .contains("{\"offset\":\"0x54\",\"text\":\"Vendor Specific Information: VirtIO: SWIOTLB\"}")
        .contains("\"address\":\"0x8000000000\",\"sizeBytes\":16777216")
        .contains("\"config\":\"f41a4210");
  }
}
