package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.StateRestored;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.VirtioHost;
import io.carom.virtio.VirtioState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "virtio:restore",
    description = "Let a virtio device at rest, or a new one like it, go on from a saved state.")
final class VirtioRestoreCommand extends ShellCommand {
  /** More than a state with the most queues that there can be. */
  private static final long MAX_BYTES = 64L << 20;

  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "What virtio:save has written.")
  String file = "";

  private final ShellServices services;

  VirtioRestoreCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String host = new DeviceDirectory(services).find(device).requireHost();
    final Path path = Path.of(file).toAbsolutePath();
    final VirtioHost virtio = services.virtio();
    final VirtioState state = virtio.readState(read(path));
    virtio.restore(host, state);
    return new StateRestored(host, path.toString(), state.queues().size());
  }

  private static byte[] read(final Path path) {
    try {
      final long size = Files.size(path);
      if (size > MAX_BYTES) {
        throw new IllegalArgumentException(
            "virtio:restore: " + path + " is no saved state: it has " + size + " bytes");
      }
      return Files.readAllBytes(path);
    } catch (final IOException e) {
      throw new IllegalArgumentException("virtio:restore: cannot read " + path + ": " + e, e);
    }
  }
}
