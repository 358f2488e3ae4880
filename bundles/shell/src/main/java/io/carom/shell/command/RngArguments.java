package io.carom.shell.command;

import picocli.CommandLine.Option;

/** What an entropy device has. */
final class RngArguments extends GivenOptions {
  @Option(
      names = "--rate",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "rng: most bytes a second; as many as are asked for by default.")
  void rate(final Long value) {
    given("--rate", "bytesPerSecond", value);
  }

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "rng: the bytes are those of this seed, and not random; for tests.")
  void seed(final Long value) {
    given("--seed", "seed", value.toString());
  }
}
