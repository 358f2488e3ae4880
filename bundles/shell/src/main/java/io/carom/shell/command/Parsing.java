package io.carom.shell.command;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Parsing of arguments, with each mistake told in one line that names what is valid. */
public final class Parsing {
  private static final int WIDTH = 100;

  private Parsing() {}

  /** A parser that fills a command. */
  public static CommandLine parser(final ShellCommand command) {
    final CommandLine parser = new CommandLine(command);
    parser.setExpandAtFiles(false);
    parser.setUsageHelpWidth(WIDTH);
    parser.setUsageHelpAutoWidth(false);
    parser.getCommandSpec().usageMessage().sortOptions(false).abbreviateSynopsis(true);
    return parser;
  }

  static void parse(final CommandLine parser, final String... arguments) {
    try {
      parser.parseArgs(arguments);
    } catch (UnmatchedArgumentException e) {
      throw new UsageException(unmatched(parser, e.getUnmatched().getFirst()));
    } catch (MissingParameterException e) {
      throw new UsageException(
          // a mistyped option explains more than what is missing besides
          Stream.of(arguments)
              .filter(argument -> isUnknownOption(parser, argument))
              .findFirst()
              .map(argument -> unmatched(parser, argument))
              .orElseGet(() -> name(parser) + ": " + firstLine(e) + "; " + synopsis(parser)));
    } catch (ParameterException e) {
      throw new UsageException(name(parser) + ": " + firstLine(e));
    }
  }

  /** The options of a command, long forms first, in the order of its help. */
  public static List<String> options(final CommandLine parser) {
    final List<String> names = new ArrayList<>();
    for (final OptionSpec option : parser.getCommandSpec().options()) {
      if (!option.hidden()) {
        names.add(option.longestName());
      }
    }
    return Collections.unmodifiableList(names);
  }

  private static boolean isUnknownOption(final CommandLine parser, final String argument) {
    return argument.startsWith("--")
        && parser.getCommandSpec().findOption(argument.replaceFirst("=.*", "")) == null;
  }

  private static String unmatched(final CommandLine parser, final String argument) {
    return argument.startsWith("-")
        ? name(parser)
            + ": unknown option '"
            + argument
            + "'; valid: "
            + String.join(", ", options(parser))
        : name(parser) + ": unexpected argument '" + argument + "'; " + synopsis(parser);
  }

  private static String synopsis(final CommandLine parser) {
    final String text = parser.getHelp().synopsis(0).replaceAll("\\s+", " ").trim();
    return "usage: " + text;
  }

  private static String name(final CommandLine parser) {
    return parser.getCommandName();
  }

  private static String firstLine(final ParameterException e) {
    final String message = e.getMessage();
    return message == null ? "wrong arguments" : message.lines().findFirst().orElse("");
  }
}
