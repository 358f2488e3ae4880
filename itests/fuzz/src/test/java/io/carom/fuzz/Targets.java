package io.carom.fuzz;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The fuzz targets, and the inputs that are kept for each. */
enum Targets {
  CONFIG_SPACE(ConfigSpaceTarget.class),
  COMMON_CONFIG(CommonConfigTarget.class),
  SPLIT_CHAIN(SplitChainTarget.class),
  PACKED_CHAIN(PackedChainTarget.class),
  BLK(BlkTarget.class),
  CONSOLE(ConsoleTarget.class),
  NET(NetTarget.class),
  IOMMU(IommuTarget.class);

  private final Class<?> target;

  Targets(final Class<?> target) {
    this.target = target;
  }

  /** The class that Jazzer calls. */
  Class<?> target() {
    return target;
  }

  /** Runs one input in this JVM. */
  void run(final byte[] input) {
    switch (this) {
      case CONFIG_SPACE -> ConfigSpaceTarget.fuzzerTestOneInput(input);
      case COMMON_CONFIG -> CommonConfigTarget.fuzzerTestOneInput(input);
      case SPLIT_CHAIN -> SplitChainTarget.fuzzerTestOneInput(input);
      case PACKED_CHAIN -> PackedChainTarget.fuzzerTestOneInput(input);
      case BLK -> BlkTarget.fuzzerTestOneInput(input);
      case CONSOLE -> ConsoleTarget.fuzzerTestOneInput(input);
      case NET -> NetTarget.fuzzerTestOneInput(input);
      case IOMMU -> IommuTarget.fuzzerTestOneInput(input);
    }
  }

  /** The folder of its kept inputs: seeds, and what once failed. */
  Path corpus() {
    final URL folder = Targets.class.getResource("/corpus/" + target.getSimpleName());
    if (folder == null) {
      throw new IllegalStateException("no corpus of " + target.getSimpleName());
    }
    try {
      return Path.of(folder.toURI());
    } catch (final URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The kept inputs. */
  List<Path> inputs() throws IOException {
    try (Stream<Path> files = Files.list(corpus())) {
      return files.sorted().toList();
    }
  }
}
