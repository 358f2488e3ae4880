package io.carom.shell.command;

import io.carom.shell.result.IommuMappings;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "iommu:map",
    description = "List what a domain of the IOMMU maps, by address.",
    footer = {"", "Examples:", "  iommu:map 1", "  iommu:map 1 --limit 100000 --json"})
final class IommuMapCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "DOMAIN",
      description = "Number of the domain; iommu:domains lists them.")
  int domain;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "At most so many mappings; ${DEFAULT-VALUE} by default.",
      defaultValue = "256")
  int limit;

  private final ShellServices services;

  IommuMapCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    if (limit < 1) {
      throw new UsageException("iommu:map: --limit must be at least 1, but is " + limit);
    }
    return IommuMappings.of(services.iommu(), domain, limit);
  }
}
