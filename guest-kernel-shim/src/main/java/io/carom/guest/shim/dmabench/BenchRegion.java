package io.carom.guest.shim.dmabench;

import io.carom.dma.DmaDeviceSpec;
import io.carom.guest.DmaBench;
import io.carom.memory.DeviceRegions;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;

/**
 * The memory that the pseudo device carries when it shall bounce in a region of its own. The region
 * lies in the hole between config space and the hotplug registers: no BAR is ever placed there, and
 * a device with a mask of 32 bits, the benchmark's default, reaches it.
 *
 * <p>One run at a time uses it. Mappings that a run had to leave behind keep their part of the hole
 * for good, so that no later run's addresses are mistaken for theirs. Under the component's lock.
 */
final class BenchRegion {
  /** The strategy name that means a device's own region. */
  static final String ALIAS = "swiotlb-device";

  /** Bytes of a slot set: regions consist of whole ones. */
  static final long GRANULE = 256L << 10;

  private static final long BASE = PhysicalLayout.ECAM_BASE + PhysicalLayout.ECAM_SIZE;
  private static final long LIMIT = PhysicalLayout.HOTPLUG_BASE / GRANULE * GRANULE;

  /** Largest region. */
  static final long MOST_BYTES = LIMIT - BASE;

  private final DeviceRegions regions;
  private final GuestMemory memory;
  private long base = BASE;

  BenchRegion(final DeviceRegions regions, final GuestMemory memory) {
    this.regions = regions;
    this.memory = memory;
  }

  /** Makes a region; nothing of it is set apart, for the device has no rings. */
  DmaDeviceSpec.Region make(final long bytes) {
    if (bytes > LIMIT - base) {
      throw new IllegalStateException(
          "ioctl: Cannot allocate memory: runs that hung hold addresses of the device's region;"
              + " "
              + (LIMIT - base)
              + " bytes are left, lower --region");
    }
    for (final RamRange range : memory.ranges()) {
      final long start = range.base() + memory.busOffset(); // both below 2^48
      if (start < base + bytes && start + range.size() > base) {
        throw new IllegalStateException(
            "ioctl: Cannot allocate memory: devices see RAM at 0x"
                + Long.toHexString(base)
                + ", where the device's region would lie; use RAM extents");
      }
    }
    return new DmaDeviceSpec.Region(base, regions.region(DmaBench.DEVICE, bytes).memory(), 0);
  }

  /**
   * The device is gone.
   *
   * @param clean whether no mapping of it is left
   */
  void release(final long bytes, final boolean clean) {
    regions.remove(DmaBench.DEVICE);
    if (!clean) {
      base += bytes;
    }
  }
}
