package io.carom.virtio;

/**
 * How much of a SWIOTLB region the queues of a device take, for both sides of the border: the
 * device refuses a region that is too small, the driver's side reserves this much of it.
 *
 * <p>A driver of ours keeps in the region, for each queue: the three ring areas, and for each ring
 * entry one control block (request header, status, and an indirect table).
 */
public final class RegionSizing {
  /** Bytes of a slot set: what a software IO TLB hands out at most, and the region's granule. */
  public static final long SET_BYTES = 256 * 1024;

  /** Bytes of a request's control block: header 16, status 1, padding, table of 31 descriptors. */
  public static final int CONTROL_BLOCK_BYTES = 512;

  private static final long PAGE = 4096;

  private RegionSizing() {}

  /** Bytes of one queue's rings and control blocks, in whole pages. */
  public static long queueBytes(final int entries) {
    final long rings =
        pages(SplitRingDescriptor.descBytes(entries))
            + pages(SplitRingDescriptor.availBytes(entries))
            + pages(SplitRingDescriptor.usedBytes(entries));
    // at most 32768 entries of 512 bytes: no overflow
    return rings + pages((long) entries * CONTROL_BLOCK_BYTES);
  }

  /** Bytes set apart for all queues of a device, in whole slot sets. */
  public static long reserveBytes(final int queues, final int entries) {
    return roundUp(queues * queueBytes(entries), SET_BYTES);
  }

  /** The smallest region for a device: the reserve, and one slot set of buffers for each queue. */
  public static long minimumBytes(final int queues, final int entries) {
    return reserveBytes(queues, entries) + queues * SET_BYTES;
  }

  private static long pages(final long bytes) {
    return roundUp(bytes, PAGE);
  }

  private static long roundUp(final long value, final long unit) {
    return (value + unit - 1) / unit * unit;
  }
}
