package io.carom.shell.command;

import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.FeatureTable;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "virtio:features",
    description = "Show the feature bits that a device offered and its driver accepted.")
final class VirtioFeaturesCommand extends ShellCommand {
  @Mixin DeviceArgument device = new DeviceArgument();

  private final ShellServices services;

  VirtioFeaturesCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final DeviceNames names = device.resolve(services, found -> found.host() != null);
    return FeatureTable.of(VirtioLookup.find(services, names));
  }
}
