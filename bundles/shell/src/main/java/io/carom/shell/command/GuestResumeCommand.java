package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.DeviceSuspended;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "guest:resume", description = "Have a suspended device go on.")
final class GuestResumeCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  private final ShellServices services;

  GuestResumeCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String address = new DeviceDirectory(services).find(device).requireAddress();
    services.guest().resume(address);
    return new DeviceSuspended(address, false);
  }
}
