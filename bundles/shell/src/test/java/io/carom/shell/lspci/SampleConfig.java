package io.carom.shell.lspci;

import io.carom.guest.PciDeviceInfo;
import java.util.HexFormat;
import java.util.List;

/** Config spaces written down by hand, among them a block device with two virtio structures. */
final class SampleConfig {
  private SampleConfig() {}

  static PciDeviceInfo block() {
    final byte[] config = new byte[256];
    put(config, 0x00, "f41a 4210 0604 1000 01 000001 00000000");
    put(config, 0x14, "0000 00c0");
    put(config, 0x18, "0c00 0000 8000 0000");
    put(config, 0x2c, "f41a 0011");
    put(config, 0x34, "40");
    put(config, 0x3c, "0b 01");
    // notify: id, next, length, type, bar, ..., offset, length, multiplier
    put(config, 0x40, "09 54 14 02 04 000000 00300000 04000000 04000000");
    put(config, 0x54, "09 64 10 0a 02 000000 00000000 00000001");
    // MSI-X of 4 vectors, enabled: table in BAR 1 at 0, pending bits at 0x800
    put(config, 0x64, "11 00 0380 01000000 01080000");
    return new PciDeviceInfo(
        "00:04.0",
        config,
        List.of(
            new PciDeviceInfo.Bar(1, 0xc000_0000L, 4096, false, false),
            new PciDeviceInfo.Bar(2, 0x80_0000_0000L, 16 << 20, true, true)),
        "virtio-pci",
        0);
  }

  static PciDeviceInfo bridge() {
    final byte[] config = new byte[256];
    put(config, 0x00, "361b 0800 0000 0000 00 000006 00000000");
    put(config, 0x2c, "f41a 0011");
    return new PciDeviceInfo("00:00.0", config, List.of(), null, 0);
  }

  static PciDeviceInfo stranger() {
    final byte[] config = new byte[256];
    put(config, 0x00, "3412 7856 0000 0000 00 00ff12 00000000");
    return new PciDeviceInfo("00:1f.7", config, List.of(), null, 0);
  }

  static void put(final byte[] config, final int offset, final String hex) {
    final byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(bytes, 0, config, offset, bytes.length);
  }
}
