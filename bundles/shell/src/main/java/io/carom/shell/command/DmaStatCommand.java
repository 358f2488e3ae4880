package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.Lists.DmaDevices;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "dma:stat",
    description = "Show the DMA counters of the devices, in full for a single one.")
final class DmaStatCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Only this device: disk name, host name or PCI address.")
  @Nullable String device;

  private final ShellServices services;

  DmaStatCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String address =
        device == null ? null : new DeviceDirectory(services).find(device).requireAddress();
    return new DmaDevices(
        services.dma().devices().stream()
            .filter(info -> address == null || address.equals(info.device()))
            .toList());
  }
}
