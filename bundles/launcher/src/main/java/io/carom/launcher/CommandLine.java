package io.carom.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the user asked for.
 *
 * @param help whether to print the help and do nothing else
 * @param interactive whether to start a shell
 * @param statements the Gogo statements to run, in order
 */
record CommandLine(boolean help, boolean interactive, List<String> statements) {
  /** Reads {@code [--help] [-c COMMANDS]... [-f FILE]... [VERB ARGS...]}. */
  static CommandLine parse(String... args) throws UsageException {
    List<String> statements = new ArrayList<>();
    int i = 0;
    while (i < args.length && args[i].startsWith("-")) {
      switch (args[i]) {
        case "-h", "--help" -> {
          return new CommandLine(true, false, List.of());
        }
        case "-c" -> statements.addAll(Statements.split(operand(args, i)));
        case "-f" -> statements.addAll(Statements.split(read(operand(args, i))));
        default -> throw new UsageException("unknown option '" + args[i] + "'; try ./carom --help");
      }
      i += 2;
    }
    if (i < args.length) {
      statements.add(Statements.join(List.of(args).subList(i, args.length)));
    }
    return new CommandLine(false, args.length == 0, List.copyOf(statements));
  }

  /** Whether one of the statements promised JSON, so that failures are told in JSON, too. */
  boolean json() {
    return statements.stream().anyMatch(Statements::wantsJson);
  }

  private static String operand(String[] args, int option) throws UsageException {
    if (option + 1 == args.length) {
      throw new UsageException("option '" + args[option] + "' needs an argument");
    }
    return args[option + 1];
  }

  private static String read(String file) throws UsageException {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new UsageException("cannot read '" + file + "' (" + Failure.message(e) + ")");
    }
  }
}
