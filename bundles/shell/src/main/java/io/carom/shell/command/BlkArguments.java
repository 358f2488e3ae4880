package io.carom.shell.command;

import picocli.CommandLine.Option;

/** What a block device has besides what {@code BlkSpec} says. */
final class BlkArguments extends GivenOptions {
  @Option(
      names = "--write-cache",
      paramLabel = "SWITCH",
      converter = Words.Switch.class,
      completionCandidates = Words.Switch.class,
      description = "blk: begin with a write cache, on (default) or off.")
  void writeCache(final String value) {
    given("--write-cache", "writeCache", value.equals(Words.ON));
  }

  @Option(
      names = "--size-max",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "blk: largest data segment that it asks for; any by default.")
  void sizeMax(final Long value) {
    given("--size-max", "sizeMax", value);
  }
}
