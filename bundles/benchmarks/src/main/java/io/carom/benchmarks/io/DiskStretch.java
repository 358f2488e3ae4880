package io.carom.benchmarks.io;

/**
 * What a load on a disk did in a stretch of time.
 *
 * @param requests requests that were completed
 * @param ns how long it took, until the last one was
 * @param heapBytes bytes that the threads of guest and device allocated meanwhile
 */
public record DiskStretch(long requests, long ns, long heapBytes) {
  /** Requests a second. */
  public double iops() {
    return requests * 1e9 / ns;
  }

  /** Time for one. */
  public double nsPerRequest() {
    return (double) ns / requests;
  }
}
