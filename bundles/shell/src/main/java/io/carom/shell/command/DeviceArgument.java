package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.service.ShellServices;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** The device that a command is about; it may be left out where there is only one. */
final class DeviceArgument {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address; may be left out when there is only one.")
  @Nullable String device;

  /** The device's names. */
  DeviceNames resolve(final ShellServices services, final Predicate<DeviceNames> among) {
    return new DeviceDirectory(services).findOrOnly(device, among);
  }
}
