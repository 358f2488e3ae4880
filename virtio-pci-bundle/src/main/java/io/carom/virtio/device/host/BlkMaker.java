package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.device.blk.BlkBackend;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.BlkOptions;
import io.carom.virtio.device.blk.FileBackend;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.ErrorLog;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Makes block devices from checked settings. */
final class BlkMaker {
  private BlkMaker() {}

  /** A device and the function that presents it. */
  record Made(BlkDevice type, VirtioPciFunction function) {}

  /**
   * Opens the backend and makes the function; what was opened is closed again when that fails.
   *
   * @throws IllegalArgumentException with one line
   */
  static Made make(
      final BlkSettings settings,
      final BlkOptions options,
      final TransportSettings transport,
      final DeviceRegions regions,
      final @Nullable DeviceRecords records,
      final WorkerOptions workers) {
    final BlkSpec spec = settings.spec();
    final ErrorLog errors = new ErrorLog(spec.name(), System::nanoTime);
    final BlkBackend backend = open(settings, regions);
    try {
      final BlkDevice type = new BlkDevice(spec.name(), backend, options, errors);
      return new Made(
          type, transport.function(spec.name(), type, regions, records, errors, workers));
    } catch (final RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  private static BlkBackend open(final BlkSettings settings, final DeviceRegions regions) {
    final BlkSpec spec = settings.spec();
    final Path path = settings.path();
    if (path == null) {
      try {
        return new MemoryBackend(spec.sizeBytes(), new KeptMemory(regions, spec.name()));
      } catch (final OutOfMemoryError e) {
        throw new IllegalArgumentException(
            "sizeBytes=" + spec.sizeBytes() + ": " + e.getMessage(), e);
      }
    }
    try {
      return new FileBackend(path, spec.sizeBytes(), spec.readOnly());
    } catch (final IOException e) {
      throw new IllegalArgumentException("file=" + path + " cannot be opened: " + e, e);
    }
  }
}
