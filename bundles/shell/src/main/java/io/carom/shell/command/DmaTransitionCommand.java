package io.carom.shell.command;

import io.carom.shell.result.Lists.Transitions;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "dma:transition",
    description = "Show the swaps that are going on, and what they wait for.",
    footer = {
      "",
      "READY: the new strategy is made ready. GRACE: maps inside the old one are waited for."
          + " DRAINING: old mappings are; dma:cancel can take the swap back until the deadline."
          + " ENDING: those that borrowed are waited for. REVOKING: the device is reset."
    })
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
