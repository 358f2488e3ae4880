package io.carom.memory;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** The machine's store of device memory, by name. Thread-safe. */
@ProviderType
public interface DeviceRegions {
  /**
   * Finds or creates a region. One of that name and size is returned as it is, contents included,
   * so that a device model that comes back finds its memory; one of another size is replaced.
   *
   * @param name unique name, such as the device's
   * @param size bytes, a positive multiple of the page size
   */
  DeviceRegion region(String name, long size);

  /** A region that was made and not removed. */
  default Optional<DeviceRegion> find(final String name) {
    return Optional.empty();
  }

  /**
   * Finds or sets apart a region in guest RAM, as firmware does before a kernel runs: its pages are
   * claimed for good and shared with devices, and no allocator of the guest has them. A region of
   * that name and size is returned as it is, also after {@link #remove}: RAM that was set apart
   * stays so as long as the machine runs.
   *
   * @param name unique name, such as the device's
   * @param size bytes, a positive multiple of the page size
   * @throws IllegalArgumentException with one line, when there is no room
   */
  default DeviceRegion inRam(final String name, final long size) {
    throw new IllegalArgumentException("this machine sets no RAM apart");
  }

  /** How CPUs see a region that they do not cache. */
  default RegionView view(final DeviceRegion region, final ViewCosts costs) {
    throw new IllegalArgumentException("this machine caches all memory");
  }

  /** Forgets a region. Its memory lives on while anyone refers to it. */
  void remove(String name);
}
