package io.carom.virtio;

/**
 * How much of a SWIOTLB region the queues of a device take, for both sides of the border: the
 * device refuses a region that is too small, the driver's side reserves this much of it.
 *
 * <p>A driver of ours keeps in the region, for each queue: the three ring areas, and for each ring
 * entry an indirect table and a control block (what a request needs beside its data). A packed ring
 * takes no more than a split one; a size that is no power of two counts as the next one that is.
 */
public final class RegionSizing {
  /** Bytes of a slot set: what a software IO TLB hands out at most, and the region's granule. */
  public static final long SET_BYTES = 256 * 1024;

  /** Most bytes of a request's control block, such as header, status and id string. */
  public static final int CONTROL_BLOCK_BYTES = 128;

  /** Most descriptors of an indirect table that lies within what is set apart. */
  public static final int TABLE_ENTRIES = 24;

  private static final long PAGE = 4096;

  private RegionSizing() {}

  /** Bytes of one queue's rings, indirect tables and control blocks, in whole pages. */
  public static long queueBytes(final int entries) {
    final int whole = entries < 2 ? 1 : Integer.highestOneBit(entries - 1) << 1;
    final long rings =
        pages(SplitRingDescriptor.descBytes(whole))
            + pages(SplitRingDescriptor.availBytes(whole))
            + pages(SplitRingDescriptor.usedBytes(whole));
    // at most 32768 entries of 512 bytes: no overflow
    final long tables = pages((long) whole * TABLE_ENTRIES * SplitRingDescriptor.DESC_SIZE);
    return rings + tables + pages((long) whole * CONTROL_BLOCK_BYTES);
  }

  /**
   * Bytes set apart for all queues of a device, in whole slot sets; with a page more, which is kept
   * free where addresses on the wire are offsets.
   */
  public static long reserveBytes(final int queues, final int entries) {
    return roundUp(queues * queueBytes(entries) + PAGE, SET_BYTES);
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
