package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.DeviceSuspended;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "guest:suspend",
    description = "Have a device rest: its driver touches it no more, and requests wait.")
final class GuestSuspendCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  private final ShellServices services;

  GuestSuspendCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String address = new DeviceDirectory(services).find(device).requireAddress();
    services.guest().suspend(address);
    return new DeviceSuspended(address, true);
  }
}
