package io.carom.virtio;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What the machine keeps of virtio devices, by name, so that the code of a device model can be
 * replaced, or hang, while its driver drives it. A service of the machine. Thread-safe.
 */
@ProviderType
public interface DeviceRecords {
  /**
   * Takes over a device's record: a new one, or what was kept. Every {@link DeviceRecord} of that
   * name that was given before is void from now on, and changes nothing any more.
   *
   * <p>To be called when the function's port is revoked or has not been used yet, so that nothing
   * of before is inside a section.
   *
   * @param name unique name of the device
   */
  DeviceRecord claim(String name);

  /**
   * Forgets a device: its driver was told that it is gone. By the bus, when a function is removed
   * for good; by the device's own bundle for devices without function. Does nothing for an unknown
   * name.
   */
  void forget(String name);
}
