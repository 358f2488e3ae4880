package io.carom.shell.sizing;

/**
 * What a device has to carry at its peak.
 *
 * @param queues queues
 * @param queueSizeEntries ring entries of a queue, a power of two
 * @param depth requests in flight on each queue, at most its entries
 * @param requestBytes largest request
 * @param minAlignBytes the bounce keeps the address bits below this ({@code min_align_mask} plus
 *     one), a power of two; 1 for none
 */
public record DeviceLoad(
    int queues, int queueSizeEntries, int depth, long requestBytes, long minAlignBytes) {
  /** Requests in flight on all queues. */
  public long requestsInFlight() {
    return (long) queues * depth;
  }

  /** {@code min_align_mask}. */
  long minAlignMask() {
    return minAlignBytes - 1;
  }
}
