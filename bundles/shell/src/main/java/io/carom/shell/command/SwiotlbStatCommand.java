package io.carom.shell.command;

import io.carom.dma.PoolInfo;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.SwiotlbStat;
import io.carom.shell.service.ShellServices;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "swiotlb:stat",
    description = "Show the bounce memory of pools and devices, under the kernel's counter names.",
    footer = {
      "",
      "Examples:",
      "  swiotlb:stat",
      "  swiotlb:stat vda",
      "  swiotlb:stat swiotlb-fixed --reset-hiwater"
    })
final class SwiotlbStatCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "POOL|DEVICE",
      description =
          "Only this pool and the devices that map from it, or only this device and its pools.")
  @Nullable String name;

  @Option(
      names = "--reset-hiwater",
      description =
          "First set io_tlb_used_hiwater back to what is used now: of the pool, or without one of"
              + " all pools and devices.")
  boolean resetHiwater;

  private final ShellServices services;

  SwiotlbStatCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String wanted = name;
    if (wanted == null) {
      if (resetHiwater) {
        services.dma().resetHiwater(null);
      }
      return all();
    }
    final String pool = PoolNames.find(services.dma(), wanted);
    if (pool != null) {
      if (resetHiwater) {
        services.dma().resetHiwater(pool);
      }
      return all().ofPool(pool);
    }
    final String device = device(wanted);
    if (resetHiwater) {
      throw new UsageException(
          "swiotlb:stat: --reset-hiwater takes a pool, or no name for all pools and devices, but '"
              + wanted
              + "' is a device");
    }
    return all().ofDevice(device);
  }

  private SwiotlbStat all() {
    return SwiotlbStat.of(services.dma().pools(), services.dma().devices());
  }

  private String device(final String wanted) {
    return new DeviceDirectory(services)
        .all().stream()
            .filter(names -> names.matches(wanted))
            .findFirst()
            .map(DeviceNames::requireAddress)
            .orElseThrow(() -> new IllegalArgumentException(unknown(wanted)));
  }

  private String unknown(final String wanted) {
    return "unknown pool or device '"
        + wanted
        + "'; pools: "
        + list(services.dma().pools().stream().map(PoolInfo::pool).distinct().toList())
        + "; devices: "
        + list(new DeviceDirectory(services).all().stream().map(DeviceNames::best).toList());
  }

  private static String list(final List<String> names) {
    return names.isEmpty() ? "none" : String.join(", ", names);
  }
}
