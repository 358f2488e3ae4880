package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import io.carom.virtio.VirtioConsole;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "console:resize", description = "Change the size of a console, and tell the guest.")
final class ConsoleResizeCommand extends ShellCommand {
  @Parameters(index = "0", paramLabel = "CONSOLE", description = "Host name of the console.")
  String console = "";

  @Parameters(index = "1", paramLabel = "COLUMNS", description = "Columns, 1 to 65535.")
  int newColumns;

  @Parameters(index = "2", paramLabel = "ROWS", description = "Rows, 1 to 65535.")
  int newRows;

  private final ShellServices services;

  ConsoleResizeCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final VirtioConsole found = ConsoleLookup.console(services, console);
    found.resize(newColumns, newRows);
    return new ConsoleListCommand(services).run(progress);
  }
}
