package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import picocli.CommandLine.Command;

@Command(name = "device:list", description = "List the devices; the same as virtio:list.")
final class DeviceListCommand extends VirtioListCommand {
  DeviceListCommand(final ShellServices services) {
    super(services);
  }
}
