package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.Lists.Mappings;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "dma:mappings", description = "List the live DMA mappings, oldest first.")
final class DmaMappingsCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Only of this device: disk name, host name or PCI address.")
  @Nullable String device;

  private final ShellServices services;

  DmaMappingsCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new Mappings(
        services
            .dma()
            .mappings(
                device == null
                    ? null
                    : new DeviceDirectory(services).find(device).requireAddress()));
  }
}
