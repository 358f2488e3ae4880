package io.carom.dma.core.memory;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.core.pool.ExtentIndex;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The regions of devices that are attached, and of those that are gone while someone still holds
 * part of them: a buffer of the driver, lent pages, a mapping. A device that is attached again
 * finds its region as it was left, so that nothing in it is granted twice. Thread-safe.
 */
public final class RegionSpaces {
  private final ExtentIndex index;
  private final AtomicInteger ids;
  private final Map<Long, RegionSpace> spaces = new HashMap<>(); // by bus address

  /** No regions. */
  public RegionSpaces(final ExtentIndex index, final AtomicInteger ids) {
    this.index = index;
    this.ids = ids;
  }

  /** The space of a region: the one that was left behind in it, or a new one. */
  public synchronized RegionSpace open(final DmaDeviceSpec.Region region) {
    final RegionSpace left = spaces.get(region.busAddress());
    if (left != null && left.inUse() && left.over(region)) {
      return left;
    }
    final RegionSpace made = new RegionSpace(region, index, ids);
    spaces.put(region.busAddress(), made);
    return made;
  }

  /** The device is gone; what nobody holds any more is forgotten. */
  public synchronized void close(final RegionSpace space) {
    if (!space.inUse()) {
      space.close();
      spaces.values().remove(space);
    }
  }
}
