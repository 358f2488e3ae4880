package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.result.StateSaved;
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
    name = "virtio:save",
    description = "Bring a virtio device to rest and save its state; virtio:restore lets it go on.")
final class VirtioSaveCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  @Parameters(
      index = "1",
      paramLabel = "FILE",
      description = "Where the state is written; a file that is there is replaced.")
  String file = "";

  private final ShellServices services;

  VirtioSaveCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String host = new DeviceDirectory(services).find(device).requireHost();
    final Path path = Path.of(file).toAbsolutePath();
    final VirtioHost virtio = services.virtio();
    final VirtioState state = virtio.save(host);
    final byte[] bytes = virtio.writeState(state);
    try {
      Files.write(path, bytes);
    } catch (final IOException e) {
      virtio.restore(host, state); // as if it had not been saved
      throw new IllegalStateException(
          "virtio:save: " + path + " cannot be written: " + e + "; the device goes on", e);
    }
    return new StateSaved(host, path.toString(), bytes.length, state.queues().size());
  }
}
