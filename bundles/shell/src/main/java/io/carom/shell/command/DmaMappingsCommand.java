package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.LiveMappings;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "dma:mappings",
    description = "List the live DMA mappings, oldest first, and count them for each device.",
    footer = {
      "",
      "A pool that is full of old mappings has a leak; one that is full of young ones is too"
          + " small.",
      "",
      "Examples:",
      "  dma:mappings vda",
      "  dma:mappings --older-than 10s"
    })
final class DmaMappingsCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Only of this device: disk name, host name or PCI address.")
  @Nullable String device;

  @Option(
      names = "--older-than",
      paramLabel = "DURATION",
      converter = FioWords.Seconds.class,
      description = "Only those that have lived so long, such as 500ms, 10s or 2m.")
  @Nullable Long olderThanMs;

  private final ShellServices services;

  DmaMappingsCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String address =
        device == null ? null : new DeviceDirectory(services).find(device).requireAddress();
    return LiveMappings.of(services.dma().mappings(address), services.dma().devices(), olderThanMs);
  }
}
