package io.carom.machine.ram;

import io.carom.machine.platform.RegionStage;
import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.LazyMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RegionView;
import io.carom.memory.ViewCosts;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Device memory by name. Removing or replacing an entry frees nothing that is still referred to.
 */
public final class RegionStore implements DeviceRegions {
  private final Map<String, DeviceRegion> regions = new HashMap<>();
  private final ReservedRam reserved;
  private final GuestRam guest;

  /**
   * No regions.
   *
   * @param reserved RAM that is set apart
   */
  public RegionStore(final ReservedRam reserved, final GuestRam guest) {
    this.reserved = reserved;
    this.guest = guest;
  }

  @Override
  public synchronized DeviceRegion region(final String name, final long size) {
    check(name, size);
    final DeviceRegion old = regions.get(name);
    if (old != null && old.size() == size) {
      return old;
    }
    final DeviceRegion made = new DeviceRegion(name, LazyMemory.allocate(size));
    regions.put(name, made);
    return made;
  }

  @Override
  public synchronized Optional<DeviceRegion> find(final String name) {
    return Optional.ofNullable(regions.get(name));
  }

  @Override
  public DeviceRegion inRam(final String name, final long size) {
    check(name, size);
    return reserved.region(name, size, guest);
  }

  @Override
  public RegionView view(final DeviceRegion region, final ViewCosts costs) {
    return new RegionStage(region.memory(), costs);
  }

  private static void check(final String name, final long size) {
    if (size < 1 || size % PhysicalLayout.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "device region '"
              + name
              + "' of "
              + size
              + " bytes: the size must be a positive"
              + " multiple of "
              + PhysicalLayout.PAGE_SIZE);
    }
  }

  @Override
  public synchronized void remove(final String name) {
    regions.remove(name);
  }
}
