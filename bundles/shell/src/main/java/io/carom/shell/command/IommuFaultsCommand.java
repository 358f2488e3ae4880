package io.carom.shell.command;

import io.carom.shell.result.IommuFaults;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "iommu:faults",
    description = "List accesses that the IOMMU refused, oldest first, and count them.",
    footer = {
      "",
      "A fault that was not reported found no buffer in the guest's event queue. The last 256 are",
      "kept; the counters count all."
    })
final class IommuFaultsCommand extends ShellCommand {
  private final ShellServices services;

  IommuFaultsCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return IommuFaults.of(services.iommu());
  }
}
