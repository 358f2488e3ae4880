package io.carom.shell.command;

import io.carom.shell.result.ConsoleOutput;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioConsole;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "console:attach",
    description = "Attach to a console or port; Ctrl-] leaves it.",
    footer = {
      "Without a terminal, or with --input or --until, it prints what is there and leaves.",
    })
final class ConsoleAttachCommand extends ShellCommand {
  private static final long QUIET_MS = 200;
  private static final long UNTIL_MS = 10_000;

  @Parameters(index = "0", paramLabel = "CONSOLE", description = "Host name of the console.")
  String console = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PORT",
      description = "Number or name of a port; the console itself by default.")
  @Nullable String port;

  @Option(
      names = "--input",
      paramLabel = "TEXT",
      description = "Type this line, and print what comes.")
  @Nullable String input;

  @Option(
      names = "--until",
      paramLabel = "TEXT",
      description = "Wait until this has come; not to find it is a failure.")
  @Nullable String until;

  @Option(
      names = "--wait-ms",
      paramLabel = "N",
      description = "How long to wait: 10000 with --until, else until it is quiet for 200.")
  @Nullable Long waitMs;

  private final ShellServices services;

  ConsoleAttachCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    if (waitMs != null && waitMs < 0) {
      throw new UsageException("console:attach: --wait-ms must not be negative, but is " + waitMs);
    }
    final VirtioConsole found = ConsoleLookup.console(services, console);
    final ConsolePort wanted = ConsoleLookup.port(found, port);
    final Terminal on = terminal;
    try (ConsolePort.Attachment end = wanted.attach()) {
      final ConsoleTransfer transfer = new ConsoleTransfer(end);
      boolean seen = true;
      if (on != null && input == null && until == null) {
        progress.accept("attached to " + found.name() + "; Ctrl-] leaves");
        transfer.converse(on);
      } else {
        if (input != null) {
          transfer.type(input + "\r");
        }
        seen = transfer.collect(until, limit());
      }
      return new ConsoleOutput(
          found.name(),
          wanted.number(),
          transfer.received(),
          transfer.sent(),
          wanted.dropped(),
          seen,
          transfer.text());
    }
  }

  private long limit() {
    if (waitMs != null) {
      return waitMs;
    }
    return until != null ? UNTIL_MS : input != null ? QUIET_MS : 0;
  }
}
