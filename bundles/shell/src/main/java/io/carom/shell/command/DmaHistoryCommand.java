package io.carom.shell.command;

import io.carom.shell.result.Lists.SwapHistory;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "dma:history",
    description = "Show the last swaps: why, how long each phase took, and what came of them.")
final class DmaHistoryCommand extends ShellCommand {
  private final ShellServices services;

  DmaHistoryCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new SwapHistory(services.dma().history());
  }
}
