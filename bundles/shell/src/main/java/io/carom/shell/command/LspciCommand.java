package io.carom.shell.command;

import io.carom.pci.PciAddress;
import io.carom.shell.lspci.PciListing;
import io.carom.shell.lspci.SlotFilter;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "carom:lspci",
    description = "List the guest's PCI functions, in the format of pciutils.")
final class LspciCommand extends ShellCommand {
  @Option(names = "-v", description = "Be verbose; twice for all registers.")
  boolean[] verbose = {};

  @Option(names = "-x", description = "Dump the first 64 bytes of config space.")
  boolean hex;

  @Option(
      names = "-s",
      paramLabel = "DEVICE",
      description = "Only the functions in a slot, such as 00:04.0, 04 or .0.")
  @Nullable String slot;

  private final ShellServices services;

  LspciCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final SlotFilter filter = slot == null ? null : SlotFilter.parse(slot);
    return new PciListing(
        services.guest().pciDevices().stream()
            .filter(info -> filter == null || filter.matches(PciAddress.parse(info.address())))
            .toList(),
        verbose.length,
        hex);
  }
}
