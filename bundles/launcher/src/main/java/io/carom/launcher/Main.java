package io.carom.launcher;

import java.io.IOException;
import java.util.List;

/** The entry point: an interactive shell without arguments, else a batch run. */
public final class Main {
  private final Console console;
  private final Home home;

  private Main(Console console, Home home) {
    this.console = console;
    this.home = home;
  }

  /** Runs and ends the process with the exit status. */
  public static void main(String[] args) throws InterruptedException, IOException {
    Console console = new Console(System.out, System.err);
    System.exit(new Main(console, Home.fromSystemProperty()).run(args));
  }

  private int run(String... args) throws InterruptedException, IOException {
    CommandLine line;
    try {
      line = CommandLine.parse(args);
    } catch (UsageException e) {
      return report(e, ExitCode.USAGE, List.of(args).contains("--json"));
    }
    if (line.help()) {
      console.out().print(home.help());
      return ExitCode.FINE;
    }
    try {
      return run(line);
    } catch (BootException e) {
      return report(e, ExitCode.NOT_BOOTED, line.json());
    }
  }

  private int report(Exception problem, int status, boolean json) {
    console.complain(Failure.message(problem));
    if (json) {
      console.complainAsJson(Failure.message(problem));
    }
    return status;
  }

  private int run(CommandLine line) throws BootException, InterruptedException {
    try (Container container = Container.boot(home, console, line.interactive())) {
      if (!line.interactive()) {
        return new Batch(console).run(container.context(), line.statements());
      }
      container.runShell();
      return ExitCode.FINE;
    }
  }
}
