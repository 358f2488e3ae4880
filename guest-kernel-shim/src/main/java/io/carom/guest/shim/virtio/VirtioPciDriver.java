package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.virtio.VirtioIds;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Binds modern virtio functions and hands them to the driver of their type. A function of a type
 * without driver is left alone.
 */
public final class VirtioPciDriver implements PciDriver {
  private final VirtioPlatform platform;
  private final List<VirtioDriver> drivers;
  private final BitSet indices;

  /**
   * A driver with the drivers of its types.
   *
   * @param indices taken device numbers, shared by drivers that follow one another
   */
  public VirtioPciDriver(
      final VirtioPlatform platform, final List<VirtioDriver> drivers, final BitSet indices) {
    this.platform = platform;
    this.drivers = List.copyOf(drivers);
    this.indices = indices;
  }

  @Override
  public String name() {
    return "virtio-pci";
  }

  @Override
  public boolean matches(final int vendorId, final int deviceId) {
    return vendorId == VirtioIds.VENDOR
        && deviceId > VirtioIds.MODERN_DEVICE_BASE
        && deviceId <= VirtioIds.MODERN_DEVICE_LAST
        && driver(deviceId).isPresent();
  }

  @Override
  public boolean early(final int vendorId, final int deviceId) {
    return matches(vendorId, deviceId) && driver(deviceId).orElseThrow().early();
  }

  @Override
  public Binding probe(final PciDevice pci) throws ProbeException {
    final VirtioDriver driver = driver(pci.deviceId()).orElseThrow();
    final VirtioPciTransport transport = new VirtioPciTransport(platform.bus(), pci);
    final int index = indices.nextClearBit(0);
    final VirtioDevice device = new VirtioDevice(platform, pci, transport, "virtio" + index);
    indices.set(index);
    boolean bound = false;
    try {
      final Binding binding = driver.probe(device);
      bound = true;
      return gone -> {
        try {
          binding.remove(gone);
        } finally {
          indices.clear(index);
        }
      };
    } catch (final ProbeException e) {
      platform.dmesg().log(driver.name() + " " + device.name() + ": " + e.getMessage());
      throw e;
    } finally {
      if (!bound) {
        device.fail();
        device.free();
        indices.clear(index);
      }
    }
  }

  private Optional<VirtioDriver> driver(final int deviceId) {
    final int type = deviceId - VirtioIds.MODERN_DEVICE_BASE;
    return drivers.stream().filter(driver -> driver.type() == type).findFirst();
  }
}
