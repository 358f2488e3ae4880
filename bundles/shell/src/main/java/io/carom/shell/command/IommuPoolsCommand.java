package io.carom.shell.command;

import io.carom.dma.IovaPoolInfo;
import io.carom.shell.result.Lists;
import io.carom.shell.service.ShellServices;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "iommu:pools",
    description = "Show the guest's pools in IOMMU domains: classes, caches, hits, evictions.",
    footer = {
      "",
      "A slot is untouched, empty, in flight, cached for one permission, evicting or leaked. A"
          + " pool",
      "is open while a device of its domain uses a strategy that needs all RAM in reach."
    })
final class IommuPoolsCommand extends ShellCommand {
  private final ShellServices services;

  IommuPoolsCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final List<IovaPoolInfo> pools = services.dma().iovaPools();
    if (pools.isEmpty()) {
      // without an IOMMU there can be none: that is said instead
      services.iommu();
    }
    return new Lists.IovaPools(pools);
  }
}
