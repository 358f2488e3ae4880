package io.carom.shell.command;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What a network device has. */
final class NetArguments extends GivenOptions {
  @Option(
      names = "--mac",
      paramLabel = "MAC",
      description = "net: address such as 52:54:00:12:34:56; made of the name by default.")
  void mac(final String value) {
    given("--mac", "mac", value);
  }

  @Option(
      names = "--segment",
      paramLabel = "NAME",
      description =
          "net: the switch that it is on, lan0 by default; devices of one reach each other.")
  void segment(final String value) {
    given("--segment", "segment", value);
  }

  @Option(
      names = "--queue-pairs",
      paramLabel = "N",
      description = "net: pairs of queues, 1 (default) to 8.")
  void queuePairs(final Integer value) {
    given("--queue-pairs", "queuePairs", value);
  }

  @Option(names = "--mtu", paramLabel = "N", description = "net: largest packet; 1500 by default.")
  void mtu(final Integer value) {
    given("--mtu", "mtu", value);
  }

  @Option(
      names = "--capture",
      paramLabel = "FILE",
      description = "net: write its packets to this file, for Wireshark.")
  void capture(final Path value) {
    given("--capture", "capture", value.toAbsolutePath().toString());
  }

  @Option(
      names = "--snap-length",
      paramLabel = "N",
      description = "net: most bytes of a packet in the capture; all by default.")
  void snapLength(final Integer value) {
    given("--snap-length", "snapLength", value);
  }
}
