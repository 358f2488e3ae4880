package io.carom.shell.command;

import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.VirtioEntry;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "virtio:info", description = "Show a virtio device and its queues.")
final class VirtioInfoCommand extends ShellCommand {
  @Mixin DeviceArgument device = new DeviceArgument();

  private final ShellServices services;

  VirtioInfoCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final DeviceNames names = device.resolve(services, found -> found.host() != null);
    return VirtioEntry.of(VirtioLookup.find(services, names), names.disk());
  }
}
