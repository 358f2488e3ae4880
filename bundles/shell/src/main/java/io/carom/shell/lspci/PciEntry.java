package io.carom.shell.lspci;

import io.carom.guest.PciDeviceInfo;
import io.carom.pci.ConfigSpaceDescriptor;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One function, as its JSON shows it.
 *
 * @param address such as {@code 00:04.0}
 * @param name class, vendor and device in words
 * @param vendorId hexadecimal
 * @param deviceId hexadecimal
 * @param classCode hexadecimal, with the programming interface
 * @param revision revision
 * @param driver bound driver, or null
 * @param irq interrupt number, or 0
 * @param bars the BARs
 * @param capabilities the capability chain
 * @param config the 256 bytes of config space
 */
public record PciEntry(
    String address,
    String name,
    String vendorId,
    String deviceId,
    String classCode,
    int revision,
    @Nullable String driver,
    int irq,
    List<Bar> bars,
    List<Capability> capabilities,
    byte[] config) {

  /**
   * A BAR.
   *
   * @param index 0..5
   * @param address guest-physical, hexadecimal
   * @param sizeBytes bytes
   * @param wide 64-bit
   * @param prefetchable as the BAR says
   */
  public record Bar(
      int index, String address, long sizeBytes, boolean wide, boolean prefetchable) {}

  /**
   * A capability.
   *
   * @param offset where in config space, hexadecimal
   * @param text what it is
   */
  public record Capability(String offset, String text) {}

  /** What the guest knows of a function, in words. */
  public static PciEntry of(final PciDeviceInfo info) {
    final ConfigSpace config = new ConfigSpace(info.config());
    final int vendor = config.u16(ConfigSpaceDescriptor.VENDOR_ID);
    final int device = config.u16(ConfigSpaceDescriptor.DEVICE_ID);
    return new PciEntry(
        info.address(),
        PciNames.deviceClass(config.deviceClass())
            + ": "
            + PciNames.vendorAndDevice(vendor, device),
        hex(4, vendor),
        hex(4, device),
        hex(6, config.u32(ConfigSpaceDescriptor.REVISION) >>> 8),
        config.u8(ConfigSpaceDescriptor.REVISION),
        info.driver(),
        info.irq(),
        info.bars().stream()
            .map(
                bar ->
                    new Bar(
                        bar.index(),
                        "0x" + Long.toHexString(bar.address()),
                        bar.size(),
                        bar.wide(),
                        bar.prefetchable()))
            .toList(),
        config.capabilities().stream()
            .map(
                at ->
                    new Capability("0x" + Integer.toHexString(at), Capabilities.title(config, at)))
            .toList(),
        info.config());
  }

  private static String hex(final int digits, final long value) {
    return String.format(Locale.ROOT, "0x%0" + digits + "x", value);
  }
}
