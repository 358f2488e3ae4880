package io.carom.benchmarks.io;

/** A device with a queue, as its driver sees it: one thread submits and reaps. */
interface IoDevice extends AutoCloseable {
  /** Queues a mapped request. */
  void submit(int slot);

  /**
   * Waits for at least one request that is finished.
   *
   * @param slots filled from its start with the slots of finished requests
   * @return how many
   * @throws IllegalStateException when the device failed, with one line
   */
  int reap(int[] slots);

  @Override
  void close();
}
