package io.carom.benchmarks.update;

/** Verified load on one device. */
interface DeviceLoad {
  /** What the device is called in messages. */
  String device();

  /** Runs for a time. What ends it early is its result, too. */
  LoadResult run(long millis) throws InterruptedException;
}
