package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.Lists.VirtioDevices;
import io.carom.shell.result.VirtioEntry;
import io.carom.shell.service.ShellServices;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

@Command(name = "virtio:list", description = "List the virtio devices.")
class VirtioListCommand extends ShellCommand {
  private final ShellServices services;

  VirtioListCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final Map<String, @Nullable String> disks = new HashMap<>();
    for (final DeviceNames names : new DeviceDirectory(services).all()) {
      if (names.host() != null) {
        disks.put(names.host(), names.disk());
      }
    }
    return new VirtioDevices(
        services.virtio().devices().stream()
            .map(info -> VirtioEntry.of(info, disks.get(info.name())))
            .toList());
  }
}
