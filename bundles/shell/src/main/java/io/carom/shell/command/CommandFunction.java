package io.carom.shell.command;

import io.carom.shell.json.Json;
import io.carom.shell.service.ShellServices;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.command.Process;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** Runs one kind of command for Gogo: parses, runs, and makes JSON of the result where asked. */
public final class CommandFunction implements Function {
  private static final int FEWEST_COLUMNS = 40;
  private static final int MOST_COLUMNS = 300;

  /** Where gogo.jline keeps a session's terminal. */
  private static final String TERMINAL = ".terminal";

  private final CommandKind kind;
  private final ShellServices services;
  private final Terminals terminals;

  /** Runs commands of a kind, none of which has a terminal. */
  public CommandFunction(final CommandKind kind, final ShellServices services) {
    this(kind, services, variable -> null);
  }

  /**
   * Runs commands of a kind.
   *
   * @param terminals makes a terminal of what an interactive session has as one
   */
  public CommandFunction(
      final CommandKind kind, final ShellServices services, final Terminals terminals) {
    this.kind = kind;
    this.services = services;
    this.terminals = terminals;
  }

  /** Makes a terminal of a session's variable. */
  @FunctionalInterface
  public interface Terminals {
    /** The terminal, or null when the session has none. */
    @Nullable Terminal apply(@Nullable Object variable);
  }

  @Override
  public Object execute(final CommandSession session, final @Nullable List<Object> arguments)
      throws InterruptedException {
    final List<Object> given = arguments == null ? List.of() : arguments;
    return execute(
        given.stream().map(argument -> text(session, argument)).toArray(String[]::new),
        progress(),
        columns(session.get("COLUMNS")),
        terminals.apply(session.get(TERMINAL)));
  }

  /** Runs the command with its arguments as text, for a terminal of the usual width. */
  public Object execute(final String[] arguments, final Consumer<String> progress)
      throws InterruptedException {
    return execute(arguments, progress, ShellCommand.DEFAULT_COLUMNS);
  }

  /** Runs the command with its arguments as text, for a terminal of so many columns. */
  public Object execute(
      final String[] arguments, final Consumer<String> progress, final int columns)
      throws InterruptedException {
    return execute(arguments, progress, columns, null);
  }

  private Object execute(
      final String[] arguments,
      final Consumer<String> progress,
      final int columns,
      final @Nullable Terminal terminal)
      throws InterruptedException {
    final ShellCommand command = kind.create(services);
    command.columns = columns;
    command.terminal = terminal;
    final CommandLine parser = Parsing.parser(command);
    Parsing.parse(parser, arguments);
    if (command.help) {
      final String usage = parser.getUsageMessage(CommandLine.Help.Ansi.OFF);
      return command.wantsJson() ? Json.document(Map.of("usage", usage)) : usage;
    }
    final Object result = command.run(progress);
    return command.wantsJson() ? Json.document(result) : result;
  }

  /** The session knows the width of its terminal; one without a terminal has no such variable. */
  static int columns(final @Nullable Object variable) {
    try {
      final int columns = variable == null ? 0 : Integer.parseInt(variable.toString().trim());
      return columns < 1
          ? ShellCommand.DEFAULT_COLUMNS
          : Math.clamp(columns, FEWEST_COLUMNS, MOST_COLUMNS);
    } catch (NumberFormatException e) {
      return ShellCommand.DEFAULT_COLUMNS;
    }
  }

  /** Objects of other commands' results are named in their short form. */
  private static String text(final CommandSession session, final Object argument) {
    return argument instanceof CharSequence
        ? argument.toString()
        : session.format(argument, Converter.PART).toString();
  }

  /** The standard error of the pipeline that runs the command: its output stays clean. */
  private static Consumer<String> progress() {
    final Process process = Process.Utils.current();
    if (process == null) {
      return line -> {};
    }
    final PrintStream err = process.err();
    return line -> {
      err.println(line);
      err.flush();
    };
  }
}
