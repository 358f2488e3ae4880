package io.carom.shell;

import io.carom.shell.command.CommandKind;
import io.carom.shell.command.Commands;
import io.carom.shell.command.Parsing;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.apache.felix.service.command.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Prepares each session at its first command: our commands are found first by their plain names
 * (there are other commands named {@code help}), and an interactive session learns to complete
 * them. gogo.jline completes from rules of its command {@code complete}; those for our commands are
 * made from what picocli knows of them.
 */
final class SessionSetup implements CommandSessionListener {
  /** The variable that marks a session as prepared. */
  static final String MARK = ".carom";

  /** The function that proposes values. */
  static final String COMPLETE = "__carom_complete";

  /** The variable that carries a rule's text. */
  private static final String TEXT = "__carom_text";

  private static final Logger LOG = LoggerFactory.getLogger(SessionSetup.class);
  private static final String SCOPE = "SCOPE";
  private static final String OUR_SCOPE = "carom";

  private final Completions completions;

  SessionSetup(final ShellServices services) {
    completions = new Completions(services);
  }

  @Override
  public void beforeExecute(final CommandSession session, final CharSequence command) {
    preferOurs(session);
  }

  @Override
  public void afterExecute(
      final CommandSession session, final CharSequence command, final Exception exception) {
    prepare(session);
  }

  @Override
  public void afterExecute(
      final CommandSession session, final CharSequence command, final @Nullable Object result) {
    prepare(session);
  }

  /** Runs after the profile, which sets a scope of its own. */
  private void prepare(final CommandSession session) {
    preferOurs(session);
    // only a session that reads from a terminal has completions, and once its profile is read
    if (session.get(".completions") == null || session.get(MARK) != null) {
      return;
    }
    session.put(MARK, true);
    session.put(COMPLETE, (Function) (s, arguments) -> completions.propose(arguments));
    try {
      for (final CommandKind kind : Commands.ALL) {
        for (final Rule rule : rules(kind)) {
          // values of variables are taken as they are: no word of them is read as Gogo's language
          session.put(TEXT, rule.text());
          session.execute("gogo:complete -c " + kind.name() + rule.options());
        }
      }
      session.put(TEXT, null);
    } catch (Exception e) {
      LOG.warn("completion of Carom's commands is not available: {}", e.toString());
    }
  }

  private static void preferOurs(final CommandSession session) {
    final Object scope = session.get(SCOPE);
    final String path = scope == null ? "*" : scope.toString();
    if (!List.of(path.split(":")).contains(OUR_SCOPE)) {
      session.put(SCOPE, OUR_SCOPE + ":" + path);
    }
    // arguments such as [0-9] or .* mean what they say, and not the files of the current folder;
    // where there are hidden files, Gogo's own profile would fail for a pattern in it
    if (session.get(CommandSession.OPTION_NO_GLOB) == null) {
      session.put(CommandSession.OPTION_NO_GLOB, true);
    }
  }

  /**
   * A rule of completion.
   *
   * @param options options of {@code complete}, in which a variable stands for the text
   * @param text the text
   */
  record Rule(String options, String text) {}

  /** The rules by which gogo.jline completes a command. */
  static List<Rule> rules(final CommandKind kind) {
    final List<Rule> rules = new ArrayList<>();
    rules.add(new Rule(" -e", ""));
    rules.add(new Rule(" -d $" + TEXT, kind.description()));
    final CommandLine parser = Parsing.parser(Completions.blank(kind));
    for (final OptionSpec option : parser.getCommandSpec().options()) {
      final StringBuilder names = new StringBuilder();
      for (final String name : option.names()) {
        names.append(name.startsWith("--") ? " -l " : " -s ").append(name.replaceFirst("^--?", ""));
      }
      rules.add(new Rule(names + " -d $" + TEXT, Completions.description(option)));
    }
    rules.add(
        new Rule(
            " -a $" + TEXT,
            COMPLETE + " " + kind.name() + " ($.commandLine words) ($.commandLine wordIndex)"));
    return rules;
  }
}
