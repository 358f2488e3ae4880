package io.carom.shell.lspci;

import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.util.List;
import java.util.Locale;

/** Capabilities in pciutils' words. */
final class Capabilities {
  /** Transitional virtio ids begin here; modern ones end at {@link VirtioIds}. */
  private static final int FIRST_VIRTIO_DEVICE = 0x1000;

  private Capabilities() {}

  /** The capability's line, without offset. */
  static String title(final ConfigSpace config, final int at) {
    return switch (config.u8(at)) {
      case MsixDescriptor.CAPABILITY_ID -> {
        final int control = config.u16(at + MsixDescriptor.CONTROL);
        yield "MSI-X: Enable"
            + sign(control, MsixDescriptor.CONTROL_ENABLE)
            + " Count="
            + ((control & MsixDescriptor.CONTROL_SIZE_MASK) + 1)
            + " Masked"
            + sign(control, MsixDescriptor.CONTROL_FUNCTION_MASK);
      }
      case VirtioPciCapDescriptor.CAPABILITY_ID ->
          isVirtio(config)
              ? "Vendor Specific Information: VirtIO: " + virtioType(config, at)
              : String.format(
                  Locale.ROOT,
                  "Vendor Specific Information: Len=%02x <?>",
                  config.u8(at + VirtioPciCapDescriptor.CAP_LEN));
      default -> String.format(Locale.ROOT, "Capability ID %#02x", config.u8(at));
    };
  }

  /** Further lines. */
  static List<String> details(final ConfigSpace config, final int at) {
    return switch (config.u8(at)) {
      case MsixDescriptor.CAPABILITY_ID ->
          List.of(
              msixPart("Vector table", config.u32(at + MsixDescriptor.TABLE)),
              msixPart("PBA", config.u32(at + MsixDescriptor.PBA)));
      case VirtioPciCapDescriptor.CAPABILITY_ID ->
          isVirtio(config) ? List.of(virtioPlace(config, at)) : List.of();
      default -> List.of();
    };
  }

  private static String msixPart(final String what, final long register) {
    return String.format(
        Locale.ROOT,
        "%s: BAR=%d offset=%08x",
        what,
        register & MsixDescriptor.BIR_MASK,
        register & ~MsixDescriptor.BIR_MASK);
  }

  private static String virtioPlace(final ConfigSpace config, final int at) {
    final String place =
        String.format(
            Locale.ROOT,
            "BAR=%d offset=%08x size=%08x",
            config.u8(at + VirtioPciCapDescriptor.BAR),
            config.u32(at + VirtioPciCapDescriptor.OFFSET),
            config.u32(at + VirtioPciCapDescriptor.LENGTH));
    final boolean multiplied =
        config.u8(at + VirtioPciCapDescriptor.CFG_TYPE) == VirtioPciCapDescriptor.TYPE_NOTIFY;
    return multiplied
        ? place
            + String.format(
                Locale.ROOT,
                " multiplier=%08x",
                config.u32(at + VirtioPciCapDescriptor.NOTIFY_MULTIPLIER))
        : place;
  }

  private static boolean isVirtio(final ConfigSpace config) {
    final int device = config.u16(ConfigSpaceDescriptor.DEVICE_ID);
    return config.u16(ConfigSpaceDescriptor.VENDOR_ID) == VirtioIds.VENDOR
        && device >= FIRST_VIRTIO_DEVICE
        && device <= VirtioIds.MODERN_DEVICE_LAST;
  }

  private static String virtioType(final ConfigSpace config, final int at) {
    return switch (config.u8(at + VirtioPciCapDescriptor.CFG_TYPE)) {
      case VirtioPciCapDescriptor.TYPE_COMMON -> "CommonCfg";
      case VirtioPciCapDescriptor.TYPE_NOTIFY -> "Notify";
      case VirtioPciCapDescriptor.TYPE_ISR -> "ISR";
      case VirtioPciCapDescriptor.TYPE_DEVICE -> "DeviceCfg";
      case VirtioPciCapDescriptor.TYPE_PCI_CFG -> "PciCfg";
      case VirtioPciCapDescriptor.TYPE_SWIOTLB -> "SWIOTLB";
      default -> "<unknown>";
    };
  }

  private static char sign(final int value, final int bit) {
    return (value & bit) != 0 ? '+' : '-';
  }
}
