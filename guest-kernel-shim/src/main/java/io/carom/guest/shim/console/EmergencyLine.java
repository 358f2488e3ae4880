package io.carom.guest.shim.console;

import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.nio.charset.StandardCharsets;

/** Writes without a queue: what must be said before there is one, or when there is none left. */
final class EmergencyLine {
  private EmergencyLine() {}

  /** Says a line through {@code emerg_wr}, if the device has it. */
  static void say(final VirtioDevice device, final String text) {
    if (device.has(VirtioFeatures.CONSOLE_EMERG_WRITE)) {
      for (final byte value : text.getBytes(StandardCharsets.UTF_8)) {
        device.transport().writeConfig(ConsoleDescriptor.CONFIG_EMERGENCY, 4, value & 0xff);
      }
    }
  }
}
