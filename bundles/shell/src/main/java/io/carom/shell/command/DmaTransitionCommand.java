package io.carom.shell.command;

import io.carom.shell.result.Lists.Transitions;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "dma:transition",
    description = "Show the swaps that are going on, and what they wait for.")
final class DmaTransitionCommand extends ShellCommand {
  private final ShellServices services;

  DmaTransitionCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new Transitions(services.dma().transitions());
  }
}
