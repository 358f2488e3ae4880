package io.carom.shell.command;

import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.DeviceResized;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "device:resize", description = "Change the capacity of a disk that is in use.")
final class DeviceResizeCommand extends ShellCommand {
  private static final long SEEN_MS = 5_000;

  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "Disk name, host name or PCI address.")
  String device = "";

  @Parameters(
      index = "1",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "New size, for instance 128m; a file is extended, never cut.")
  long size;

  private final ShellServices services;

  DeviceResizeCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    final DeviceNames names = new DeviceDirectory(services).find(device);
    services.virtio().resize(names.requireHost(), size);
    final String disk = names.disk();
    if (disk == null) {
      return new DeviceResized(names.requireHost(), null, size);
    }
    final long deadline = System.nanoTime() + SEEN_MS * 1_000_000;
    while (System.nanoTime() - deadline < 0) {
      final boolean seen =
          services
              .guest()
              .blockDevice(disk)
              .map(seenDisk -> seenDisk.capacityBytes() == size)
              .orElse(false);
      if (seen) {
        return new DeviceResized(names.requireHost(), disk, size);
      }
      Thread.sleep(2);
    }
    throw new IllegalStateException(
        names.requireHost()
            + " has another size, and "
            + disk
            + " does not see it; see guest:dmesg");
  }
}
