package io.carom.shell.command;

import io.carom.dma.DmaControl;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.PoolMaps;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "swiotlb:map",
    description = "Draw who holds which slots of the pools of bounce memory.",
    footer = {
      "",
      "Each character stands for one slot of 2 KiB or for several, as the first line says; the",
      "picture fits the terminal. With --json all runs of slots, whatever the picture's scale.",
      "",
      "Examples:",
      "  swiotlb:map",
      "  swiotlb:map swiotlb-fixed@0000:00:04.0"
    })
final class SwiotlbMapCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "POOL",
      description = "Only this pool; swiotlb:stat lists them.")
  @Nullable String pool;

  private final ShellServices services;

  SwiotlbMapCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new PoolMaps(pools(services.dma()), names(), columns);
  }

  private List<PoolOccupancy> pools(final DmaControl dma) {
    if (pool != null) {
      return List.of(dma.occupancy(pool));
    }
    final Set<String> names = new LinkedHashSet<>();
    for (final PoolInfo info : dma.pools()) {
      names.add(info.pool());
    }
    final List<PoolOccupancy> all = new ArrayList<>();
    for (final String name : names) {
      try {
        all.add(dma.occupancy(name));
      } catch (IllegalArgumentException e) {
        // the pool ended since it was listed
      }
    }
    return all;
  }

  private Map<String, String> names() {
    final Map<String, String> names = new HashMap<>();
    try {
      for (final DeviceNames device : new DeviceDirectory(services).all()) {
        if (device.address() != null) {
          names.put(device.address(), device.best());
        }
      }
    } catch (IllegalStateException e) {
      // the guest or the host is away: the core's names must do
      names.clear();
    }
    return names;
  }
}
