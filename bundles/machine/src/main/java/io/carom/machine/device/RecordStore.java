package io.carom.machine.device;

import io.carom.virtio.DeviceRecord;
import io.carom.virtio.DeviceRecords;
import java.util.HashMap;
import java.util.Map;

/**
 * The devices of one machine, by name. A device is here from its first claim until it is forgotten.
 *
 * <p>The monitor guards the names, and is held for a look only; it is taken before a device's.
 */
public final class RecordStore implements DeviceRecords {
  private final Map<String, KeptDevice> devices = new HashMap<>();

  /** No devices. */
  public RecordStore() {}

  @Override
  public synchronized DeviceRecord claim(final String name) {
    return devices.computeIfAbsent(name, _ -> new KeptDevice()).claim();
  }

  @Override
  public synchronized void forget(final String name) {
    final KeptDevice device = devices.remove(name);
    if (device != null) {
      device.forget();
    }
  }
}
