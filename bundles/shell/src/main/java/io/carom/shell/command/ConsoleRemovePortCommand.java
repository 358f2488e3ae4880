package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import io.carom.virtio.VirtioConsole;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "console:remove-port",
    description = "Take a port from a console, and tell the guest.")
final class ConsoleRemovePortCommand extends ShellCommand {
  @Parameters(index = "0", paramLabel = "CONSOLE", description = "Host name of the console.")
  String console = "";

  @Parameters(index = "1", paramLabel = "PORT", description = "Number or name of the port.")
  String port = "";

  private final ShellServices services;

  ConsoleRemovePortCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final VirtioConsole found = ConsoleLookup.console(services, console);
    found.removePort(ConsoleLookup.port(found, port).number());
    return new ConsoleListCommand(services).run(progress);
  }
}
