package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.DeviceRemoved;
import io.carom.shell.service.ShellServices;
import java.time.Duration;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "device:remove",
    description = "Unplug a device, when the guest lets it go; with --force in any case.")
final class DeviceRemoveCommand extends ShellCommand {
  private static final long TIMEOUT_MS = 10_000;

  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  @Option(names = "--force", description = "Take it out without asking the guest.")
  boolean force;

  @Option(
      names = "--timeout-ms",
      paramLabel = "N",
      description = "How long the guest may take; 10000 by default.")
  long timeoutMs = TIMEOUT_MS;

  private final ShellServices services;

  DeviceRemoveCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    if (timeoutMs < 0) {
      throw new UsageException(
          "device:remove: --timeout-ms must not be negative, but is " + timeoutMs);
    }
    final String host = new DeviceDirectory(services).find(device).requireHost();
    final boolean released = services.virtio().remove(host, Duration.ofMillis(timeoutMs), force);
    return new DeviceRemoved(host, released || force, released);
  }
}
