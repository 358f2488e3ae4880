package io.carom.shell.command;

import io.carom.shell.device.DeviceNames;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.VirtioDeviceInfo;

/** What the host says of one device. */
final class VirtioLookup {
  private VirtioLookup() {}

  static VirtioDeviceInfo find(final ShellServices services, final DeviceNames names) {
    final String host = names.requireHost();
    return services.virtio().devices().stream()
        .filter(info -> info.name().equals(host))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("device '" + host + "' has just gone"));
  }
}
