package io.carom.shell.device;

import io.carom.dma.DmaDeviceInfo;
import io.carom.guest.BlockDevice;
import io.carom.pci.PciAddress;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.VirtioDeviceInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The devices by all their names, put together from host, guest and DMA core. */
public final class DeviceDirectory {
  private final ShellServices services;

  /** Over the services. */
  public DeviceDirectory(final ShellServices services) {
    this.services = services;
  }

  /** All devices, those of the host first. */
  public List<DeviceNames> all() {
    final List<BlockDevice> disks = services.guest().blockDevices();
    final List<DeviceNames> all = new ArrayList<>();
    for (final VirtioDeviceInfo device : services.virtio().devices()) {
      final String address = withDomain(device.address());
      all.add(new DeviceNames(device.name(), disk(disks, address), address));
    }
    for (final DmaDeviceInfo device : services.dma().devices()) {
      final String address = withDomain(device.device());
      if (all.stream().noneMatch(names -> device.device().equals(names.address()))) {
        all.add(new DeviceNames(null, disk(disks, address), address));
      }
    }
    return all;
  }

  /**
   * A device by one of its names.
   *
   * @throws IllegalArgumentException with the valid names
   */
  public DeviceNames find(final String name) {
    final List<DeviceNames> all = all();
    for (final DeviceNames names : all) {
      if (names.matches(name)) {
        return names;
      }
    }
    throw new IllegalArgumentException("unknown device '" + name + "'; " + valid(all));
  }

  /**
   * The named device, or without a name the only one.
   *
   * @throws IllegalArgumentException when there are several, or none
   */
  public DeviceNames findOrOnly(final @Nullable String name, final Predicate<DeviceNames> among) {
    if (name != null) {
      return find(name);
    }
    final List<DeviceNames> candidates = all().stream().filter(among).toList();
    if (candidates.size() != 1) {
      throw new IllegalArgumentException(
          candidates.isEmpty()
              ? "there is no device; add one with device:add"
              : "which device? " + valid(candidates));
    }
    return candidates.getFirst();
  }

  private static String valid(final List<DeviceNames> all) {
    return all.isEmpty()
        ? "there is none: add one with device:add"
        : "valid: "
            + all.stream()
                .map(names -> names.stream().distinct().limit(3).collect(Collectors.joining("=")))
                .collect(Collectors.joining(", "));
  }

  private static @Nullable String disk(
      final List<BlockDevice> disks, final @Nullable String address) {
    for (final BlockDevice disk : disks) {
      if (Objects.equals(withDomain(disk.address()), address)) {
        return disk.name();
      }
    }
    return null;
  }

  private static @Nullable String withDomain(final @Nullable String address) {
    try {
      return address == null ? null : PciAddress.parse(address).withDomain();
    } catch (IllegalArgumentException e) {
      // a device of the DMA core that is no PCI function keeps its name
      return address;
    }
  }
}
