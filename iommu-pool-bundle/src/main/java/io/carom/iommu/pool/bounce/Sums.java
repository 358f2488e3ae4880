package io.carom.iommu.pool.bounce;

import io.carom.dma.spi.IovaClass;

/** Adds up a size class over stripes and ranges. Between threads a sum may be a little old. */
public final class Sums {
  private static final int KINDS = 3;

  private final long bytes;
  private final long[] cached = new long[KINDS]; // by direction: both, to and from the device

  /** Slots. */
  public long slots;

  /** Never used. */
  public long untouched;

  /** Without pages. */
  public long empty;

  /** Mapped. */
  public long inFlight;

  /** Given back, not disposed of yet. */
  public long evicting;

  /** Lost to failed unmaps. */
  public long leaked;

  /** Maps served by an idle buffer. */
  public long hits;

  /** Maps that needed a new one. */
  public long misses;

  /** Buffers given back for age or for want of memory. */
  public long evictions;

  /**
   * Nothing yet.
   *
   * @param bytes of a buffer, 0 for single-use ones
   */
  public Sums(final long bytes) {
    this.bytes = bytes;
  }

  /**
   * Adds idle buffers.
   *
   * @param counts by permission
   * @return how many they are
   */
  long idle(final long[] counts) {
    long sum = 0;
    for (int list = 0; list < counts.length; list++) {
      sum += counts[list];
      idle(list, counts[list]);
    }
    return sum;
  }

  /** Adds idle buffers of one permission. */
  public void idle(final int list, final long count) {
    cached[list % KINDS] += count;
  }

  /** The sums as they are reported. */
  public IovaClass report() {
    return new IovaClass(
        bytes, slots, untouched, empty, inFlight, cached[1], cached[2], cached[0], evicting, leaked,
        hits, misses, evictions);
  }
}
