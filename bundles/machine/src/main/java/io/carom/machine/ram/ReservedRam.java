package io.carom.machine.ram;

import io.carom.memory.DeviceRegion;
import io.carom.memory.PageMap;
import io.carom.memory.PhysicalLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * RAM that firmware sets apart for devices: claimed in the page map for good, so that no allocator
 * of the guest has it, and shared with devices. It is the region of one device; any other device
 * that addresses it is refused. Nothing is given back while the machine runs, as whoever had it may
 * still refer to it: a device of the same name and size finds its own again.
 *
 * <p>The list of runs is never changed and replaced as a whole, so that devices look without a
 * lock.
 */
public final class ReservedRam {
  /** Runs begin at a multiple of this: a slot set of bounce memory. */
  private static final long ALIGN_PAGES = (256 << 10) >> PhysicalLayout.PAGE_SHIFT;

  private final Ram ram;
  private final Map<String, DeviceRegion> regions = new HashMap<>();
  private volatile long[] runs = {}; // offset in RAM and end of each

  /** Nothing is set apart. */
  public ReservedRam(final Ram ram) {
    this.ram = ram;
  }

  /** Whether a run of RAM, given by its offset, touches what is set apart. */
  public boolean touches(final long offset, final long length) {
    final long[] now = runs;
    for (int i = 0; i < now.length; i += 2) {
      // the run is RAM, and so is the other: the sum does not overflow
      if (offset < now[i + 1] && now[i] < offset + length) {
        return true;
      }
    }
    return false;
  }

  /**
   * Sets a region apart, or finds it again.
   *
   * @param size whole pages
   * @throws IllegalArgumentException when there is no room
   */
  public synchronized DeviceRegion region(
      final String name, final long size, final GuestRam guest) {
    final DeviceRegion old = regions.get(name);
    if (old != null && old.size() == size) {
      return old;
    }
    final long address = claim(guest.pageMap(), size);
    if (address < 0) {
      throw new IllegalArgumentException(
          "regionBytes="
              + size
              + ": no such run of RAM is free to be set apart for "
              + name
              + "; lower it, or raise lowRamMiB or highRamMiB of io.carom.machine");
    }
    final long busAddress = guest.platform().busAddress(address, size, true);
    if (busAddress < 0) {
      guest.pageMap().release(address, size >> PhysicalLayout.PAGE_SHIFT);
      throw new IllegalArgumentException(
          "RAM at 0x" + Long.toHexString(address) + " is in no bank that devices reach");
    }
    guest.share(address, size >> PhysicalLayout.PAGE_SHIFT);
    final long offset = ram.offset(address, size);
    final DeviceRegion made =
        new DeviceRegion(
            name, guest.platform().uncached().asSlice(offset, size), address, busAddress);
    regions.put(name, made);
    final long[] more = Arrays.copyOf(runs, runs.length + 2);
    more[runs.length] = offset;
    more[runs.length + 1] = offset + size;
    runs = more;
    return made;
  }

  private static long claim(final PageMap pages, final long size) {
    final long count = size >> PhysicalLayout.PAGE_SHIFT;
    // where there is high RAM: what lies low is wanted for devices that reach no further
    final long high = pages.claim(count, ALIGN_PAGES, PhysicalLayout.HIGH_RAM_BASE, Long.MAX_VALUE);
    return high >= 0 ? high : pages.claim(count, ALIGN_PAGES, 0, PhysicalLayout.HIGH_RAM_BASE);
  }

  /** The region of a name, or null. */
  synchronized @Nullable DeviceRegion find(final String name) {
    return regions.get(name);
  }
}
