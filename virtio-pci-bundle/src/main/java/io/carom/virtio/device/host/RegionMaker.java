package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.RegionView;
import io.carom.memory.ViewCosts;
import io.carom.pci.PciAddress;
import io.carom.virtio.RegionCaching;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RegionOptions.Location;
import io.carom.virtio.device.region.BounceRegion;
import org.jspecify.annotations.Nullable;

/** Gets the memory of a device's region from the machine. */
final class RegionMaker {
  private RegionMaker() {}

  /**
   * Makes a region of checked settings.
   *
   * @throws IllegalArgumentException with one line
   */
  static BounceRegion make(
      final String name,
      final RegionOptions options,
      final @Nullable String slot,
      final DeviceRegions regions) {
    if (!options.present()) {
      return BounceRegion.NONE;
    }
    if (options.location() == Location.RAM) {
      final DeviceRegion ram = regions.inRam(name, options.bytes());
      return BounceRegion.inRam(options, ram.memory(), ram.address(), ram.busAddress());
    }
    if (options.group() != null && slot != null) {
      return shared(options, PciAddress.parse(slot), regions);
    }
    final DeviceRegion region = regions.region(name, options.bytes());
    return BounceRegion.inBar(options, region.memory(), view(options, region, regions));
  }

  private static @Nullable RegionView view(
      final RegionOptions options, final DeviceRegion region, final DeviceRegions regions) {
    return switch (options.caching()) {
      case WRITEBACK -> null;
      case WRITE_COMBINING, UNCACHED ->
          regions.view(
              region,
              new ViewCosts(
                  options.caching() == RegionCaching.UNCACHED ? 0 : ViewCosts.WRITE_COMBINING_LINES,
                  options.readLineNs(),
                  options.writeLineNs()));
    };
  }

  /**
   * The region of a group of functions. It is the machine's as long as that runs, so that functions
   * may come and go in any order and all of them find the same memory.
   */
  private static BounceRegion shared(
      final RegionOptions options, final PciAddress address, final DeviceRegions regions) {
    final String key =
        "group " + options.group() + " of " + new PciAddress(address.bus(), address.device(), 0);
    final DeviceRegion there = regions.find(key).orElse(null);
    if (there == null && address.function() != 0) {
      throw new IllegalArgumentException(
          "regionGroup="
              + options.group()
              + " has no region at slot="
              + new PciAddress(address.bus(), address.device(), 0)
              + ": add the device of function 0 first");
    }
    if (there != null && there.size() != options.bytes()) {
      throw new IllegalArgumentException(
          "regionBytes="
              + options.bytes()
              + " is not what regionGroup="
              + options.group()
              + " has: use "
              + there.size()
              + ", or another regionGroup");
    }
    final DeviceRegion region = there == null ? regions.region(key, options.bytes()) : there;
    return address.function() == 0
        ? BounceRegion.inBar(options, region.memory(), null)
        : BounceRegion.ofFunction(options, region.memory(), 0);
  }
}
