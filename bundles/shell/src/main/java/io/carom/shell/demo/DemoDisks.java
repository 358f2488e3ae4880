package io.carom.shell.demo;

import io.carom.shell.service.Disks;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The disks of the demo, and their images. Two devices must not write to one file, so each has an
 * image of its own; the user's file, read-only, serves both; and with {@code --write} the file is
 * the hint device's, while the strict one has a scratch image.
 */
final class DemoDisks implements AutoCloseable {
  /** Bytes of a scratch image. */
  static final long SCRATCH_BYTES = 64L << 20;

  static final String HINT = "demo-hint";
  static final String STRICT = "demo-strict";
  static final String MEMORY = "demo-memory";

  private final ShellServices services;
  private final DemoOptions options;
  private final Consumer<String> progress;
  private final ScratchImages images;
  private final List<DemoDisk> attached = new ArrayList<>();

  DemoDisks(
      final ShellServices services, final DemoOptions options, final Consumer<String> progress) {
    this.services = services;
    this.options = options;
    this.progress = progress;
    images = new ScratchImages(services.fio(), options.seed());
  }

  /** Plugs the two disks with files. */
  List<DemoDisk> attachFiles() throws IOException, InterruptedException {
    return List.of(
        attachFile(HINT, SwiotlbPolicy.HINT, options.disk()),
        attachFile(STRICT, SwiotlbPolicy.STRICT, options.write() ? null : options.disk()));
  }

  /** Plugs a disk in memory. */
  DemoDisk attachMemory() throws InterruptedException {
    return attach(
        new DemoDisk(services, MEMORY, SwiotlbPolicy.HINT, null, false),
        Disks.memory(MEMORY, SCRATCH_BYTES, SwiotlbPolicy.HINT));
  }

  private DemoDisk attachFile(
      final String name, final SwiotlbPolicy policy, final @Nullable Path users)
      throws IOException, InterruptedException {
    final Path file = users == null ? images.create(name, SCRATCH_BYTES) : users.toAbsolutePath();
    final boolean readOnly = users != null && !options.write();
    final DemoDisk disk =
        attach(
            new DemoDisk(services, name, policy, file, readOnly),
            Disks.file(name, file.toString(), readOnly, policy));
    if (users != null) {
      progress.accept("demo: reading " + file + " to know its blocks");
      images.describe(disk.disk().name(), file);
    }
    return disk;
  }

  private DemoDisk attach(final DemoDisk disk, final BlkSpec spec) throws InterruptedException {
    final String guest = new Disks(services).attach(spec).name();
    attached.add(disk);
    progress.accept("demo: " + guest + " is " + disk.host() + " (" + spec.backend() + ")");
    return disk;
  }

  /** Takes out every disk and deletes every scratch image, whatever happened before. */
  @Override
  public void close() {
    RuntimeException first = null;
    for (final DemoDisk disk : attached.reversed()) {
      try {
        new Disks(services).detach(disk.host());
      } catch (IllegalArgumentException | IllegalStateException e) {
        first = first == null ? e : first;
      }
    }
    images.close();
    if (first != null) {
      throw first;
    }
  }
}
