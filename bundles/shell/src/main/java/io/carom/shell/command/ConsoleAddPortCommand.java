package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "console:add-port", description = "Add a port to a console, and tell the guest.")
final class ConsoleAddPortCommand extends ShellCommand {
  @Parameters(index = "0", paramLabel = "CONSOLE", description = "Host name of the console.")
  String console = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      description = "Name of the port, none by default.")
  String name = "";

  private final ShellServices services;

  ConsoleAddPortCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    ConsoleLookup.console(services, console).addPort(name);
    return new ConsoleListCommand(services).run(progress);
  }
}
