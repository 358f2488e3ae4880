package io.carom.shell.command;

import io.carom.dma.TransitionInfo;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "dma:cancel",
    description =
        "Take a swap back while it drains: the strategy before is used again. Waits until what was"
            + " mapped since has drained.",
    footer = {
      "",
      "Refused when the drain is over, and when the strategy before cannot come back, as its"
          + " service or its configuration is another one by now. dma:transition shows what"
          + " drains.",
      "",
      "Example:",
      "  dma:cancel vda"
    })
final class DmaCancelCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DEVICE",
      description =
          "Disk name, host name or PCI address; may be left out when only one swap is going on.")
  @Nullable String device;

  private final ShellServices services;

  DmaCancelCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    return Swaps.cancel(services.dma(), address());
  }

  private String address() {
    if (device != null) {
      return new DeviceDirectory(services).find(device).requireAddress();
    }
    final List<TransitionInfo> running = services.dma().transitions();
    if (running.isEmpty()) {
      throw new IllegalStateException("no swap is going on");
    }
    if (running.size() > 1) {
      throw new IllegalArgumentException(
          "which device? "
              + String.join(", ", running.stream().map(TransitionInfo::device).toList()));
    }
    return running.getFirst().device();
  }
}
