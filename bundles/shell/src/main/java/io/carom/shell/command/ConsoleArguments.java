package io.carom.shell.command;

import picocli.CommandLine.Option;

/** What a console has. */
final class ConsoleArguments extends GivenOptions {
  @Option(
      names = "--ports",
      paramLabel = "N",
      description = "console: room for ports; 1 by default.")
  void ports(final Integer value) {
    given("--ports", "ports", value);
  }

  @Option(
      names = "--port-names",
      paramLabel = "NAMES",
      description = "console: names of its first ports, with commas between, port 0 first.")
  void portNames(final String value) {
    given("--port-names", "portNames", value);
  }

  @Option(names = "--columns", paramLabel = "N", description = "console: columns; 80 by default.")
  void columns(final Integer value) {
    given("--columns", "columns", value);
  }

  @Option(names = "--rows", paramLabel = "N", description = "console: rows; 25 by default.")
  void rows(final Integer value) {
    given("--rows", "rows", value);
  }

  @Option(
      names = "--buffer",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "console: bytes that a port holds in each direction; 64k by default.")
  void buffer(final Long value) {
    given("--buffer", "bufferBytes", value);
  }
}
