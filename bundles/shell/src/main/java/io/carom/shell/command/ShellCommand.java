package io.carom.shell.command;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * A command: one object for each call, whose fields picocli fills from the arguments. The name in
 * its {@code @Command} is scope and function, as users type them.
 */
public abstract class ShellCommand {
  /** Width of a terminal that does not say. */
  static final int DEFAULT_COLUMNS = 80;

  @Option(names = "--json", description = "Print the result as one JSON object.")
  boolean json;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help.")
  boolean help;

  /** Width of the terminal, characters. */
  int columns = DEFAULT_COLUMNS;

  /** The terminal of an interactive session, or null. */
  @Nullable Terminal terminal;

  /** Whether the result is wanted as JSON. */
  public boolean wantsJson() {
    return json;
  }

  /**
   * Does the work.
   *
   * @param progress takes lines for people while it lasts; they do not belong to the result
   * @return the result: a record whose components are the keys of its JSON. One that has a public
   *     {@code boolean failed()} which answers true makes a batch run fail
   * @throws UsageException when options contradict each other
   * @throws IllegalArgumentException for a value that cannot be, with one line
   * @throws IllegalStateException when it is not possible now, with one line
   * @throws InterruptedException when the user stopped it
   */
  public abstract Object run(Consumer<String> progress) throws InterruptedException;
}
