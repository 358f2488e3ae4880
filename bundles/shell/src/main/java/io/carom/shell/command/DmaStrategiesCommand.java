package io.carom.shell.command;

import io.carom.shell.result.Lists.Strategies;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(name = "dma:strategies", description = "List the DMA strategies that can be used now.")
final class DmaStrategiesCommand extends ShellCommand {
  private final ShellServices services;

  DmaStrategiesCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new Strategies(services.dma().strategies());
  }
}
