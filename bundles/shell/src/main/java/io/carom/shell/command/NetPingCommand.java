package io.carom.shell.command;

import io.carom.guest.Network.PingJob;
import io.carom.shell.result.PingReport;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "net:ping",
    description = "Send echo requests from one interface of the guest to another.")
final class NetPingCommand extends ShellCommand {
  private static final int DEFAULT_COUNT = 5;
  private static final int DEFAULT_BYTES = 56;
  private static final int DEFAULT_TIMEOUT_MS = 2_000;

  @Parameters(index = "0", paramLabel = "INTERFACE", description = "The one that sends.")
  String from = "";

  @Parameters(
      index = "1",
      paramLabel = "INTERFACE|ADDRESS",
      description = "Another interface, or an IPv4 address.")
  String to = "";

  @Option(names = "--count", paramLabel = "N", description = "Requests; 5 by default.")
  int count = DEFAULT_COUNT;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of data of each; 56 by default.")
  long size = DEFAULT_BYTES;

  @Option(
      names = "--interval-ms",
      paramLabel = "N",
      description = "Time between two requests; none by default.")
  int intervalMs;

  @Option(
      names = "--timeout-ms",
      paramLabel = "N",
      description = "How long an answer is waited for; 2000 by default.")
  int timeoutMs = DEFAULT_TIMEOUT_MS;

  private final ShellServices services;

  NetPingCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    final int bytes = Math.toIntExact(Math.clamp(size, 0, Integer.MAX_VALUE));
    return PingReport.of(
        services.network().ping(new PingJob(from, to, count, bytes, intervalMs, timeoutMs)), bytes);
  }
}
