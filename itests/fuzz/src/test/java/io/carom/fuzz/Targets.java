package io.carom.fuzz;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The fuzz targets, and the inputs that are kept for each. */
enum Targets {
  CONFIG_SPACE(ConfigSpaceTarget.class, ConfigSpaceTarget::fuzzerTestOneInput),
  COMMON_CONFIG(CommonConfigTarget.class, CommonConfigTarget::fuzzerTestOneInput),
  SPLIT_CHAIN(SplitChainTarget.class, SplitChainTarget::fuzzerTestOneInput),
  PACKED_CHAIN(PackedChainTarget.class, PackedChainTarget::fuzzerTestOneInput),
  BLK(BlkTarget.class, BlkTarget::fuzzerTestOneInput),
  CONSOLE(ConsoleTarget.class, ConsoleTarget::fuzzerTestOneInput),
  NET(NetTarget.class, NetTarget::fuzzerTestOneInput),
  IOMMU(IommuTarget.class, IommuTarget::fuzzerTestOneInput);

  private final Class<?> target;
  private final Consumer<byte[]> run;

  Targets(final Class<?> target, final Consumer<byte[]> run) {
    this.target = target;
    this.run = run;
  }

  /** The class that Jazzer calls. */
  Class<?> target() {
    return target;
  }

  /** Runs one input in this JVM. */
  void run(final byte[] input) {
    run.accept(input);
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
