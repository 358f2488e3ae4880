package io.carom.guest;

/**
 * What a disk can do, and what it does well.
 *
 * @param physicalBlockBytes below this a write costs it a read
 * @param minimumIoBytes least bytes of good I/O
 * @param optimalIoBytes bytes of its best I/O, 0 when it does not say
 * @param maxDiscardBytes most bytes of one part of a DISCARD, 0 when it does not know that
 * @param maxZeroesBytes most bytes of one part of a WRITE_ZEROES, 0 when it does not know that
 * @param writeCache whether writes need a FLUSH to be stable
 */
public record BlockLimits(
    int physicalBlockBytes,
    int minimumIoBytes,
    long optimalIoBytes,
    long maxDiscardBytes,
    long maxZeroesBytes,
    boolean writeCache) {
  /** Of a disk that says nothing. */
  public static final BlockLimits NONE = new BlockLimits(512, 512, 0, 0, 0, false);
}
