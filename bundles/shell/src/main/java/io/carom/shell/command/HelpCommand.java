package io.carom.shell.command;

import io.carom.shell.result.CommandList;
import io.carom.shell.result.Usage;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Parameters;

@Command(name = "carom:help", description = "List Carom's commands, or explain one of them.")
final class HelpCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "COMMAND",
      description = "The command to explain, with or without its scope.")
  @Nullable String command;

  private final ShellServices services;

  HelpCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    if (command == null) {
      return new CommandList(
          Commands.ALL.stream()
              .map(kind -> new CommandList.Line(kind.name(), kind.description()))
              .toList());
    }
    final CommandKind kind = Commands.find(command);
    if (kind == null) {
      throw new UsageException(
          "carom:help: unknown command '"
              + command
              + "'; valid: "
              + Commands.ALL.stream().map(CommandKind::name).collect(Collectors.joining(", ")));
    }
    return new Usage(
        Parsing.parser(kind.create(services)).getUsageMessage(Help.Ansi.OFF).stripTrailing());
  }
}
