package io.carom.shell.command;

import io.carom.dma.DmaDeviceInfo;
import io.carom.guest.Network.ThroughputJob;
import io.carom.guest.Network.ThroughputResult;
import io.carom.shell.result.ThroughputReport;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "net:throughput",
    description =
        "Send datagrams from one interface of the guest to another, and check every byte.")
final class NetThroughputCommand extends ShellCommand {
  private static final long DEFAULT_MS = 3_000;

  @Parameters(index = "0", paramLabel = "INTERFACE", description = "The one that sends.")
  String from = "";

  @Parameters(index = "1", paramLabel = "INTERFACE", description = "The one that receives.")
  String to = "";

  @Option(
      names = "--seconds",
      paramLabel = "SECONDS",
      converter = FioWords.Seconds.class,
      description = "How long it sends; 3 by default.")
  long runtimeMs = DEFAULT_MS;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of a datagram; as many as the MTU allows by default.")
  long size;

  @Option(names = "--jobs", paramLabel = "N", description = "Flows at once; 1 by default.")
  int jobs = 1;

  @Option(
      names = "--datagrams",
      paramLabel = "N",
      description = "Most datagrams of a flow; no limit by default.")
  long datagrams;

  @Option(names = "--randseed", paramLabel = "N", description = "Seed; 1 by default.")
  long randseed = 1;

  private final ShellServices services;

  NetThroughputCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    final int bytes = Math.toIntExact(Math.clamp(size, 0, Integer.MAX_VALUE));
    final ThroughputResult result =
        services
            .network()
            .throughput(new ThroughputJob(from, to, runtimeMs, bytes, jobs, datagrams, randseed));
    return ThroughputReport.of(result, strategy(from), strategy(to));
  }

  private @Nullable String strategy(final String of) {
    for (final var net : services.guest().networkInterfaces()) {
      if (net.name().equals(of)) {
        for (final DmaDeviceInfo device : services.dma().devices()) {
          if (device.device().equals(net.address())) {
            return device.strategy();
          }
        }
      }
    }
    return null;
  }
}
