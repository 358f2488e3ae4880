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
    return vendorId == VirtioIds.VENDOR && driver(deviceId).isPresent();
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
    final VirtioDevice device =
        new VirtioDevice(
            platform,
            pci,
            transport,
            "virtio" + index,
            driver.type(),
            pci.deviceId() < VirtioIds.MODERN_DEVICE_BASE);
    indices.set(index);
    boolean bound = false;
    try {
      final Binding binding = driver.probe(device);
      bound = true;
      return new Bound(binding, device, index);
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
    final int type = type(deviceId);
    return drivers.stream().filter(driver -> driver.type() == type).findFirst();
  }

  /** The device type that a device id stands for, whatever the revision; -1 for none. */
  private static int type(final int deviceId) {
    if (deviceId >= VirtioIds.MODERN_DEVICE_BASE && deviceId <= VirtioIds.MODERN_DEVICE_LAST) {
      return deviceId - VirtioIds.MODERN_DEVICE_BASE;
    }
    // transitional devices (virtio 1.4, section PCI Device Discovery); one without modern
    // structures is refused when they are looked for
    return switch (deviceId) {
      case 0x1000 -> VirtioIds.TYPE_NET;
      case 0x1001 -> VirtioIds.TYPE_BLOCK;
      case 0x1003 -> VirtioIds.TYPE_CONSOLE;
      case 0x1005 -> VirtioIds.TYPE_ENTROPY;
      default -> -1;
    };
  }

  /** A device that is driven. */
  private final class Bound implements Binding {
    private final Binding binding;
    private final VirtioDevice device;
    private final int index;

    Bound(final Binding binding, final VirtioDevice device, final int index) {
      this.binding = binding;
      this.device = device;
      this.index = index;
    }

    @Override
    public void remove(final boolean gone) {
      try {
        binding.remove(gone);
      } finally {
        indices.clear(index);
        device.free(); // nothing is left to be done, unless the driver failed half way
      }
    }

    @Override
    public long liveMappings() {
      return device.liveMappings();
    }

    @Override
    public void suspend() {
      binding.suspend();
      platform.dmesg().log(device.name() + ": suspended");
    }

    @Override
    public void resume() {
      binding.resume();
      platform.dmesg().log(device.name() + ": resumed");
    }
  }
}
