package io.carom.guest.shim.block;

/**
 * What a disk can do.
 *
 * @param segmentBytes most bytes of one part of a request, a multiple of 512
 * @param readOnly whether writes are refused
 * @param flush whether FLUSH is understood
 */
record DiskLimits(int segmentBytes, boolean readOnly, boolean flush) {
  static final DiskLimits NONE = new DiskLimits(Integer.MAX_VALUE & -512, false, false);
}
