package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.device.blk.BlkBackend;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.FileBackend;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.io.IOException;
import java.nio.file.Path;

/** Makes block devices from checked settings. */
final class BlkMaker {
  private BlkMaker() {}

  /** A device type and the function that presents it. */
  record Made(DeviceType type, VirtioPciFunction function) {}

  /**
   * Opens the backend and makes the function; what was opened is closed again when that fails.
   *
   * @throws IllegalArgumentException with one line
   */
  static Made make(
      final BlkSettings settings,
      final TransportSettings transport,
      final DeviceRegions regions,
      final WorkerOptions workers) {
    final BlkSpec spec = settings.spec();
    final ErrorLog errors = new ErrorLog(spec.name(), System::nanoTime);
    final BlkBackend backend = open(settings);
    try {
      final BlkDevice type =
          new BlkDevice(
              spec.name(), backend, spec.readOnly(), spec.queues(), spec.queueSize(), errors);
      return new Made(type, transport.function(spec.name(), type, regions, errors, workers));
    } catch (final RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  private static BlkBackend open(final BlkSettings settings) {
    final BlkSpec spec = settings.spec();
    final Path path = settings.path();
    if (path == null) {
      try {
        return new MemoryBackend(spec.sizeBytes());
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
