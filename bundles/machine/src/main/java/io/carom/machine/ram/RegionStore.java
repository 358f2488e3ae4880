package io.carom.machine.ram;

import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.LazyMemory;
import io.carom.memory.PhysicalLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * Device memory by name. Removing or replacing an entry frees nothing that is still referred to.
 */
public final class RegionStore implements DeviceRegions {
  private final Map<String, DeviceRegion> regions = new HashMap<>();

  @Override
  public synchronized DeviceRegion region(final String name, final long size) {
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
    final DeviceRegion old = regions.get(name);
    if (old != null && old.size() == size) {
      return old;
    }
    final DeviceRegion made = new DeviceRegion(name, LazyMemory.allocate(size));
    regions.put(name, made);
    return made;
  }

  @Override
  public synchronized void remove(final String name) {
    regions.remove(name);
  }
}
