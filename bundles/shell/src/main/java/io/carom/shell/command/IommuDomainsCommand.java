package io.carom.shell.command;

import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuHost;
import io.carom.shell.result.IommuDomains;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "iommu:domains",
    description = "Show what was asked of the IOMMU, its domains, and who is outside of them.",
    footer = {
      "",
      "The VMM's counters say what the IOMMU did; the driver's, what the guest asked of it. Time"
          + " is",
      "charged as the cost profile says: it is modelled, or calibrated to published results."
    })
final class IommuDomainsCommand extends ShellCommand {
  private final ShellServices services;

  IommuDomainsCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final IommuHost iommu = services.iommu();
    return IommuDomains.of(iommu, services.guestIommu().map(GuestIommu::counters).orElse(null));
  }
}
