package io.carom.shell.sizing;

/**
 * What a device has to carry at its peak.
 *
 * @param queues queues, of a network device pairs of a receive and a transmit queue
 * @param queueSizeEntries ring entries of a queue, a power of two
 * @param depth requests in flight on each queue, at most its entries; of a network device packets
 *     on each transmit queue
 * @param requestBytes largest request
 * @param minAlignBytes the bounce keeps the address bits below this ({@code min_align_mask} plus
 *     one), a power of two; 1 for none
 * @param segments pieces that the data of the largest request comes in, each mapped by itself
 * @param indirect whether a request of several buffers takes an indirect table
 * @param net whether it is a network device: its receive queues are full of mergeable buffers, a
 *     page each, all the time
 */
public record DeviceLoad(
    int queues,
    int queueSizeEntries,
    int depth,
    long requestBytes,
    long minAlignBytes,
    int segments,
    boolean indirect,
    boolean net) {
  /** A request's data in one piece, indirect tables, no network device. */
  static DeviceLoad of(
      final int queues,
      final int queueSizeEntries,
      final int depth,
      final long requestBytes,
      final long minAlignBytes) {
    return new DeviceLoad(
        queues, queueSizeEntries, depth, requestBytes, minAlignBytes, 1, true, false);
  }

  /** Requests in flight on all queues; receive buffers apart. */
  public long requestsInFlight() {
    return (long) queues * depth;
  }

  /** Rings. */
  int rings() {
    return net ? 2 * queues : queues;
  }

  /** Buffers that wait for packets. */
  long receiveBuffers() {
    return net ? (long) queues * queueSizeEntries : 0;
  }

  /** {@code min_align_mask}. */
  long minAlignMask() {
    return minAlignBytes - 1;
  }
}
