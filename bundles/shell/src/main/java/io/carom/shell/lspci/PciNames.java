package io.carom.shell.lspci;

import java.util.Locale;
import java.util.Map;

/** Names of the ids that occur here, as the pci.ids database spells them. */
final class PciNames {
  private static final Map<Integer, String> CLASSES =
      Map.of(
          0x00ff, "Unclassified device [00ff]",
          0x0100, "SCSI storage controller",
          0x0180, "Mass storage controller",
          0x0200, "Ethernet controller",
          0x0600, "Host bridge",
          0x0604, "PCI bridge",
          0x0780, "Communication controller",
          0x0806, "IOMMU",
          0x0880, "System peripheral");
  private static final Map<Integer, String> VENDORS =
      Map.of(0x1af4, "Red Hat, Inc.", 0x1b36, "Red Hat, Inc.");
  private static final Map<Integer, String> DEVICES =
      Map.of(
          0x1b36_0008, "QEMU PCIe Host bridge",
          0x1af4_1041, "Virtio 1.0 network device",
          0x1af4_1042, "Virtio 1.0 block device",
          0x1af4_1043, "Virtio 1.0 console",
          0x1af4_1044, "Virtio 1.0 RNG",
          0x1af4_1057, "Virtio 1.0 IOMMU");

  private PciNames() {}

  static String deviceClass(final int code) {
    return CLASSES.getOrDefault(code, String.format(Locale.ROOT, "Class %04x", code));
  }

  static String vendorAndDevice(final int vendor, final int device) {
    final String name = DEVICES.get(vendor << 16 | device);
    return name == null || !VENDORS.containsKey(vendor)
        ? vendorAndNumber(vendor, device)
        : VENDORS.get(vendor) + " " + name;
  }

  /** For ids whose names are not known here, subsystems among them. */
  static String vendorAndNumber(final int vendor, final int device) {
    final String name = VENDORS.get(vendor);
    return name == null
        ? String.format(Locale.ROOT, "Device %04x:%04x", vendor, device)
        : String.format(Locale.ROOT, "%s Device %04x", name, device);
  }
}
