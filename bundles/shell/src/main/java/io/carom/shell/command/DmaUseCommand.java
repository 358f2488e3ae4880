package io.carom.shell.command;

import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "dma:use",
    description = "Make a device use a DMA strategy while I/O goes on; waits for the swap's end.",
    footer = {
      "",
      "While it waits, dma:transition shows for what, and dma:cancel takes it back.",
      "",
      "Examples:",
      "  dma:use swiotlb-dynamic vda --extents ram",
      "  dma:use direct vda --drain-ms 500 --policy revoke"
    })
final class DmaUseCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "STRATEGY",
      description = "Name of the strategy; dma:strategies lists them.")
  String strategy = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address; may be left out when there is only one.")
  @Nullable String device;

  @Option(
      names = "--extents",
      paramLabel = "KIND",
      converter = Words.Extents.class,
      completionCandidates = Words.Extents.class,
      description = "Where the bounce memory shall lie: ram, device or iova.")
  @Nullable ExtentKind extents;

  @Option(
      names = "--drain-ms",
      paramLabel = "N",
      description = "Milliseconds until the policy applies to mappings that are still alive.")
  @Nullable Long drainMs;

  @Option(
      names = "--policy",
      paramLabel = "POLICY",
      converter = Words.Policy.class,
      completionCandidates = Words.Policy.class,
      description =
          "What happens then: adopt (the core finishes them), quarantine (their memory stays out of"
              + " use until they end), or revoke (the device is reset, its requests end with an"
              + " error).")
  @Nullable SwapPolicy policy;

  private final ShellServices services;

  DmaUseCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    if (drainMs != null && drainMs < 0) {
      throw new UsageException("dma:use: --drain-ms must not be negative, but is " + drainMs);
    }
    final DeviceNames names = new DeviceDirectory(services).findOrOnly(device, this::mapsBuffers);
    return Swaps.use(
        services.dma(),
        names.requireAddress(),
        strategy,
        new SwapOptions(extents, drainMs, policy));
  }

  /** Whether a device has a use for strategies; an IOMMU's own rings need none. */
  private boolean mapsBuffers(final DeviceNames names) {
    return services.dma().devices().stream()
        .anyMatch(device -> device.device().equals(names.address()) && device.strategy() != null);
  }
}
