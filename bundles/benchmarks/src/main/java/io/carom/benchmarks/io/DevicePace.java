package io.carom.benchmarks.io;

import io.carom.iommu.CostProfile;

/**
 * How fast a request gets on, beside its map and unmap. The device moves bytes of one request after
 * another, at most so many in a time, while the guest goes on with others. What a request takes
 * beside that is the guest's: with one job it adds to the time in map and unmap, as it does in the
 * model that the published throughputs were explained with.
 */
final class DevicePace {
  private static final long NS_PER_US = 1_000;

  private final long bytesPerUs;
  private final long requestNs;
  private long busyUntil;

  DevicePace(final CostProfile costs, final long now) {
    bytesPerUs = costs.deviceBytesPerUs();
    requestNs = costs.deviceLatencyNs();
    busyUntil = now;
  }

  /** What a request takes of the guest, in nanoseconds. */
  long requestNs() {
    return requestNs;
  }

  /** When a request that is submitted now is done; never before those submitted earlier. */
  long doneAt(final long now, final long bytes) {
    busyUntil = Math.max(busyUntil, now);
    if (bytesPerUs > 0) {
      busyUntil += bytes * NS_PER_US / bytesPerUs; // at most 128 KiB: no overflow
    }
    return busyUntil;
  }
}
