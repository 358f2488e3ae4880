package io.carom.shell.demo;

import io.carom.guest.Fio;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Image files in the folder for temporary files, filled with identified blocks. */
final class ScratchImages implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ScratchImages.class);

  private final Fio fio;
  private final long seed;
  private final List<Path> files = new ArrayList<>();

  ScratchImages(final Fio fio, final long seed) {
    this.fio = fio;
    this.seed = seed;
  }

  /** Makes an image. */
  Path create(final String name, final long bytes) throws IOException {
    final Path file = Files.createTempFile(name + "-", ".img");
    files.add(file);
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Arena arena = Arena.ofShared()) {
      final MemorySegment image = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
      fio.identify(image, seed);
    }
    return file;
  }

  /** Tells the workload runner what a disk holds. */
  void describe(final String disk, final Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        Arena arena = Arena.ofShared()) {
      fio.describe(disk, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
    }
  }

  @Override
  public void close() {
    for (final Path file : files) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        LOG.warn("cannot delete {}: {}", file, e.toString());
      }
    }
  }
}
