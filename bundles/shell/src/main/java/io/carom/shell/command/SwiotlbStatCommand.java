package io.carom.shell.command;

import io.carom.shell.result.Lists.Pools;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "swiotlb:stat",
    description = "Show the pools of bounce memory, under the kernel's counter names.")
final class SwiotlbStatCommand extends ShellCommand {
  private final ShellServices services;

  SwiotlbStatCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new Pools(services.dma().pools());
  }
}
