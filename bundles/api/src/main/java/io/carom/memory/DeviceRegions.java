package io.carom.memory;

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

  /** Forgets a region. Its memory lives on while anyone refers to it. */
  void remove(String name);
}
